import type { Worker } from '@temporalio/worker';

/**
 * Runs workers until a signal or `signal` ends them all in order. When one fails, the others are shut down before the failure is
 * passed on: `Promise.all` alone would leave them running.
 */
export async function runWorkers(workers: readonly Worker[], signal?: AbortSignal): Promise<void> {
  const shutDown = (): void => {
    for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
  };
  signal?.addEventListener('abort', shutDown, { once: true });
  const runs = workers.map((worker) => worker.run());
  if (signal?.aborted === true) shutDown();
  try {
    await Promise.all(runs);
  } catch (error) {
    shutDown();
    await Promise.allSettled(runs);
    throw error;
  } finally {
    signal?.removeEventListener('abort', shutDown);
  }
}
