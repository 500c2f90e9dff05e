import { ActivityNotFoundError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { WORKER_LOST } from '../domain/read-failure.js';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/**
 * Tells Temporal that these attempts are dead, as a restarted node worker knows at once: their repetition starts now instead of after
 * a heartbeat timeout. Tokens of activities that have ended are fine.
 */
export async function failTaskTokens({ client }: ClientContext, tokens: readonly Uint8Array[]): Promise<void> {
  for (const token of tokens) {
    const failure = ApplicationFailure.create({ type: WORKER_LOST, message: 'The worker of this attempt has died', nextRetryDelay: '1 millisecond' });
    failure.stack = '';
    try {
      await client.activity.fail(token, failure);
    } catch (error) {
      if (!(error instanceof ActivityNotFoundError)) throw clientError('end the attempts of the worker before', error);
    }
  }
}
