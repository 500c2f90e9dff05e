import { ScheduleNotFoundError } from '@temporalio/client';
import { KedgeError } from '../../domain/kedge-error.js';
import { clientError } from '../client-error.js';

/** Runs a call about a window; a schedule that is not there is a window that is not there. @throws KedgeError */
export async function withWindowErrors<Result>(what: string, name: string, call: () => Promise<Result>): Promise<Result> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) {
      throw new KedgeError('not-found', `Cannot ${what}: there is no window ${name}; list them with "kedge window list"`, { cause: error });
    }
    throw clientError(what, error);
  }
}
