import { isGrpcServiceError, ScheduleNotFoundError, ServiceError } from '@temporalio/client';
import { KedgeError } from '../../domain/kedge-error.js';
import { clientError } from '../client-error.js';

/** google.rpc.Code NOT_FOUND */
const NOT_FOUND = 5;

/** Runs a call about a window; a schedule that is not there is a window that is not there. @throws KedgeError */
export async function withWindowErrors<Result>(what: string, name: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    const cause = error instanceof ServiceError ? error.cause : error;
    if (error instanceof ScheduleNotFoundError || (isGrpcServiceError(cause) && cause.code === Number(NOT_FOUND))) {
      throw new KedgeError('not-found', `Cannot ${what}: there is no window ${name}; list them with "kedge window list"`, { cause: error });
    }
    throw clientError(what, error);
  }
}
