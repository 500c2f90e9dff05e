import { KedgeError } from '../src/domain/kedge-error.js';
import type { LabState } from './lab-state.js';
import { waitUntil } from './processes.js';
import { run, tryRun } from './run.js';
import { temporalProgram } from './temporal-program.js';

const SERVER_TIMEOUT_MS = 30_000;
/** As production set-up does: a story must be readable for a month. */
const RETENTION = '720h';

/** Waits until the server serves and the nodes have registered. @throws KedgeError `lab-failed` */
export async function waitForLab(lab: LabState, progress: (text: string) => void): Promise<void> {
  const temporal = temporalProgram();
  const address = ['--address', lab.temporal.hostAddress];
  await waitUntil('the Temporal server serves', async () => (await tryRun([temporal, 'operator', 'cluster', 'health', ...address], { timeoutMs: 5_000 })).stdout.includes('SERVING'), { timeoutMs: SERVER_TIMEOUT_MS });
  progress(`Temporal server serves at ${lab.temporal.hostAddress}`);
  await run([temporal, 'operator', 'namespace', 'update', '--namespace', 'default', '--retention', RETENTION, ...address]).catch((error: unknown) => {
    throw new KedgeError('lab-failed', `Cannot set the retention of lab "${lab.name}"`, { cause: error });
  });
}
