/** `fenceLostNode` while no control worker takes its order up. */
import { Client } from '@temporalio/client';
import { NativeConnection, Worker } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { parseNodeName } from '../../src/domain/ids.js';
import { readFailure } from '../../src/domain/read-failure.js';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';
import { fenceWorkflowId, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { bundleWorkflows } from '../support/bundle-workflows.js';
import { startTemporalServer } from '../support/temporal-server.js';

test('an order to fence that nobody takes up in time lapses: the node may be back since', { timeout: 60_000 }, async () => {
  const [server, workflowBundle] = await Promise.all([startTemporalServer(), bundleWorkflows()]);
  const connection = await NativeConnection.connect({ address: server.address });
  // Without activities: it drives workflows, and takes no order up.
  const worker = await Worker.create({ connection, taskQueue: CONTROL_QUEUE, workflowBundle });
  const running = worker.run();
  try {
    const end = new Client({ connection }).workflow
      .execute(WORKFLOW_TYPES.fenceLostNode, {
        taskQueue: CONTROL_QUEUE,
        workflowId: fenceWorkflowId(0),
        args: [{ node: parseNodeName('node3'), timings: { silentAfterMs: 500 } }],
      })
      .catch((error: unknown) => readFailure(error));
    expect(await end).toMatchObject({ answer: 'not-started' });
  } finally {
    worker.shutdown();
    await running;
    await connection.close();
    await server.stop();
  }
});
