import type { RsyncLook } from '../../../src/domain/check-rsync.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { probeRsync } from '../../../src/drivers/rsync/probe-rsync.js';

/** Asks this node's own rsync for its version. */
export async function lookAtRsync(): Promise<RsyncLook> {
  try {
    return { version: (await probeRsync()).version };
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { unusable: error.message };
  }
}
