/** The control worker of a simulated fleet in a process of its own; started by fleet-processes.ts. */
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { clusterAccess, createControlWorker } from '../../worker/control-worker.js';
import { workflowBundle } from '../../worker/temporal/workflow-bundle.js';
import { beginChild, runChild, tell } from './child-side.js';
import { parseToChild } from './fleet-messages.js';

await runChild(async () => {
  const { connected } = await beginChild();
  const { connection, namespace, kedge } = connected;
  const placement = () => Promise.resolve(NO_PLACEMENT);
  const cluster = clusterAccess(kedge, { placement });
  const tookMs: number[] = [];
  let failed = 0;
  const worker = await createControlWorker({
    connection,
    namespace,
    kedge,
    placement,
    workflows: { workflowBundle: workflowBundle() },
    access: {
      ...cluster,
      takeSnapshot: async () => {
        const began = performance.now();
        try {
          const snapshot = await cluster.takeSnapshot();
          tookMs.push(performance.now() - began);
          return snapshot;
        } catch (error) {
          failed += 1;
          throw error;
        }
      },
    },
  });
  process.on('message', (raw) => {
    if (parseToChild(raw).kind === 'report') tell({ kind: 'looks', tookMs, failed });
  });
  tell({ kind: 'ready' });
  await worker.run();
});
