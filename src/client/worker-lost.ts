import { ApplicationFailure } from '@temporalio/common';
import { WORKER_LOST } from '../domain/read-failure.js';

/** The failure of an attempt whose worker has died, as its successor reports it: the next attempt begins at once. */
export function workerLost(): ApplicationFailure {
  const failure = ApplicationFailure.create({ type: WORKER_LOST, message: 'The worker of this attempt has died', nextRetryDelay: '1 millisecond' });
  failure.stack = '';
  return failure;
}
