import { KedgeError } from '../domain/kedge-error.js';

/** An error as plain JSON with its code, stack and chain of causes; other values as they are. */
export function serializeError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  return {
    name: error.name,
    message: error.message,
    ...(error instanceof KedgeError ? { code: error.code, details: error.details } : {}),
    ...(error.stack === undefined ? {} : { stack: error.stack }),
    ...(error.cause === undefined ? {} : { cause: serializeError(error.cause) }),
  };
}
