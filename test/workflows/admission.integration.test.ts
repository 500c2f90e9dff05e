/** Admission on a real server that suggests to continue as new after a few moves. */
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ADMISSION_START } from '../../src/client/admission-start.js';
import type { SlotRelease, SlotState } from '../../src/domain/admission.js';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';
import { ADMISSION_ID, QUERIES, SIGNALS, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { bundleWorkflows } from '../support/bundle-workflows.js';
import { expectReplays } from '../support/replay-all.js';
import { startTemporalServer, type TestServer } from '../support/temporal-server.js';

const FLAGS = ['--dynamic-config-value=limit.historyCount.suggestContinueAsNew=30'];
let server: TestServer;
let connection: NativeConnection;
let client: Client;
let worker: Worker;
let workflowBundle: WorkflowBundleWithSourceMap;
let run: Promise<void>;
/** At holders. */
let looks = 0;
beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
  [server, workflowBundle] = await Promise.all([startTemporalServer({ flags: FLAGS }), bundleWorkflows('./slot-workflows.ts')]);
  connection = await NativeConnection.connect({ address: server.address });
  client = new Client({ connection });
  worker = await Worker.create({ connection, taskQueue: CONTROL_QUEUE, workflowBundle, activities: { findEndedHolders } });
  run = worker.run();
});
afterAll(async () => {
  worker.shutdown();
  await run;
  try {
    await expectReplays(client, workflowBundle);
  } finally {
    await connection.close();
    await server.stop();
  }
});

async function findEndedHolders({ runs }: { runs: readonly SlotRelease[] }): Promise<{ ended: readonly string[]; endedRuns: readonly SlotRelease[] }> {
  looks += 1;
  const statuses = await Promise.all(runs.map(({ holder, runId }) => client.workflow.getHandle(holder, runId).describe()));
  return { ended: [], endedRuns: runs.filter((_, at) => statuses[at]?.status.name !== 'RUNNING') };
}

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

test('frees the lease of a holder that ended without a word though nobody waits, and looks for nothing more once nobody holds one', async () => {
  const quiet = await client.workflow.start(WORKFLOW_TYPES.admission, {
    ...ADMISSION_START,
    workflowId: 'admission-quiet',
    args: [{ timings: { quietLeaseCheckMs: 500 } }],
  });
  const holders = await Promise.all(
    ['migration-201', 'migration-202'].map((workflowId) => client.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId, args: [{}] })),
  );
  const held = async (): Promise<readonly string[]> => (await quiet.query<SlotState>(QUERIES.slots)).leases.map(({ holder }) => holder);
  for (const { workflowId: holder, firstExecutionRunId: runId } of holders) await quiet.signal(SIGNALS.request, { holder, runId, nodes: [], priority: 'user' });
  await expect.poll(held).toEqual(['migration-201', 'migration-202']);
  const [dead, living] = holders;
  await dead?.terminate();
  await expect.poll(held, { timeout: 20_000 }).toEqual(['migration-202']);
  await living?.terminate();
  await expect.poll(held, { timeout: 20_000 }).toEqual([]);
  const seen = looks;
  await delay(1_500);
  expect(looks).toBe(seen);
});
