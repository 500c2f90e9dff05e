/** Admission on a real server that suggests to continue as new after a few moves. */
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMISSION_START } from '../../src/client/admission-start.js';
import type { SlotState } from '../../src/domain/admission.js';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';
import { ADMISSION_ID, QUERIES, SIGNALS, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { bundleWorkflows } from '../support/bundle-workflows.js';
import { startTemporalServer, type TestServer } from '../support/temporal-server.js';

const FLAGS = ['--dynamic-config-value=limit.historyCount.suggestContinueAsNew=30'];
let server: TestServer;
let connection: NativeConnection;
let client: Client;
let worker: Worker;
let run: Promise<void>;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  const [started, workflowBundle] = await Promise.all([startTemporalServer({ flags: FLAGS }), bundleWorkflows('./slot-workflows.ts')]);
  server = started;
  connection = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection });
  worker = await Worker.create({ connection, taskQueue: CONTROL_QUEUE, workflowBundle });
  run = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await run;
  await connection.close();
  await server.stop();
});

test('grants each of many requests, however often admission goes on as a new execution meanwhile', async () => {
  const first = await client.workflow.start(WORKFLOW_TYPES.admission, { ...ADMISSION_START, args: [{ limits: { perNode: 100, cluster: 3 } }] });
  const holders = await Promise.all(
    Array.from({ length: 30 }, (_, at) =>
      client.workflow.start('takeSlot', { taskQueue: CONTROL_QUEUE, workflowId: `holder-${at}`, workflowTaskTimeout: '3 seconds' }),
    ),
  );
  const ended = await Promise.all(holders.map((holder) => holder.result()));
  expect(ended).toEqual(holders.map(({ workflowId }) => workflowId));
  const now = client.workflow.getHandle(ADMISSION_ID);
  expect((await now.describe()).runId).not.toBe(first.firstExecutionRunId);
  await expect.poll(async () => (await now.query<SlotState>(QUERIES.slots)).leases).toEqual([]);
});

test('tells a holder that asks again of the grant that it has', async () => {
  const { workflowId: holder, firstExecutionRunId: runId } = await client.workflow.start(WORKFLOW_TYPES.migrateGuest, {
    taskQueue: 'nobody',
    workflowId: 'migration-101',
    args: [{}],
  });
  const ask = () => client.workflow.getHandle(ADMISSION_ID).signal(SIGNALS.request, { holder, runId, nodes: [], priority: 'user' });
  const grants = async (): Promise<number> => {
    const { events } = await client.workflow.getHandle(holder).fetchHistory();
    return events?.filter(({ workflowExecutionSignaledEventAttributes: told }) => told?.signalName === SIGNALS.granted).length ?? 0;
  };
  await ask();
  await expect.poll(grants).toBe(1);
  await ask();
  await expect.poll(grants).toBe(2);
});
