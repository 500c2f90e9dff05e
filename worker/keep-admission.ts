import type { KedgeClient } from '../src/client/kedge-client.js';
import { keepingLast } from '../src/config/keeping-last.js';
import type { LimitSettings } from '../src/domain/admission-limits.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import type { Logger } from '../src/log/logger.js';

/** How often the worker looks that the cluster's admission entity runs, an operator may have ended it, and that it has the limits of kedge.yaml. */
const ADMISSION_CHECK_MS = 30_000;

/**
 * Keeps the admission entity running, with the limits of kedge.yaml as they are now. What an operator has set live lies over them and is
 * not touched. Every control worker does it: the second one finds nothing to change. Answers how to stop.
 */
export function keepAdmission(
  kedge: Pick<KedgeClient, 'ensureAdmission'>,
  { limits, log, everyMs = ADMISSION_CHECK_MS }: { limits: () => Promise<LimitSettings>; log: Pick<Logger, 'warn'>; everyMs?: number },
): () => void {
  const keep = async (): Promise<void> => {
    const wanted = await limits();
    await crashPoint('control.ensure-admission', () => kedge.ensureAdmission(wanted));
  };
  const ensure = (): void => {
    keep().catch((error: unknown) => log.warn({ error }, 'admission could not be looked after, trying again'));
  };
  ensure();
  const timer = setInterval(ensure, everyMs);
  return () => clearInterval(timer);
}

/** A client whose requests for slots start an entity that somebody has ended with the limits of kedge.yaml, not with none until the next look. */
export function startingAdmissionWith(limits: () => Promise<LimitSettings>, kedge: KedgeClient): KedgeClient {
  return { ...kedge, requestSlot: async (request) => kedge.requestSlot(request, await limits()) };
}

/**
 * Reads limits anew at each call, and answers the last good ones while the file can't be read: a slip in it must not hold up the migrations.
 * @throws KedgeError `bad-config` when they can't be read the first time
 */
export async function lastGoodLimits(read: () => Promise<LimitSettings>, log: Pick<Logger, 'warn'>): Promise<() => Promise<LimitSettings>> {
  return keepingLast(read, {
    first: await read(),
    onFailure: (error) => log.warn({ error }, 'the limits of kedge.yaml could not be read, the last ones stay'),
  });
}
