import { ActivityNotFoundError } from '@temporalio/client';
import { clientError } from './client-error.js';
import type { ClientContext } from './kedge-client.js';
import { workerLost } from './worker-lost.js';

/**
 * Tells Temporal that these attempts are dead, as a restarted node worker knows at once: their repetition starts now instead of after
 * a heartbeat timeout. Tokens of activities that have ended are fine.
 */
export async function failTaskTokens({ client }: ClientContext, tokens: readonly Uint8Array[]): Promise<void> {
  for (const token of tokens) {
    try {
      await client.activity.fail(token, workerLost());
    } catch (error) {
      if (!(error instanceof ActivityNotFoundError)) throw clientError('end the attempts of the worker before', error);
    }
  }
}
