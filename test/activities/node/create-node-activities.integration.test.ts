import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createNodeBulkActivities, createNodeControlActivities } from '../../../activities/node/create-node-activities.js';
import type { NodeService } from '../../../activities/node/node-service.js';
import type { GuestCommand } from '../../../activities/interface.js';
import { parseVmid } from '../../../src/domain/ids.js';
import { CONTROL_QUEUE } from '../../../src/domain/task-queues.js';
import { nodeWorkflowId, WORKFLOW_TYPES } from '../../../src/domain/workflow-names.js';
import { fakeNode } from '../../support/fake-node.js';
import { FakeWorld } from '../../support/fake-world.js';
import { NODE, startTestCluster, type TestCluster } from '../../support/test-cluster.js';

const HEARTBEAT_TIMEOUT_MS = 2_500;
/** Far beyond the heartbeat timeout. */
const SLOW_START_MS = 6_000;

const vmid = parseVmid(101);
const world = new FakeWorld(vmid);
const starts: number[] = [];
let inventoryHangs = false;

/** A node whose QEMU is slow to start, and whose inventory hangs when told to. */
const service: NodeService = {
  ...fakeNode(world),
  clusterSize: 2,
  presenceBegins: () => undefined,
  inventory: () => (inventoryHangs ? new Promise(() => undefined) : Promise.resolve(world.inventory(NODE))),
  manageGuest: async () => {
    starts.push(performance.now());
    await delay(SLOW_START_MS);
    return { guest: null, config: 'started' };
  },
  probeNode: () => Promise.reject(new Error('Not asked here')),
  listLostGuests: () => Promise.reject(new Error('Not asked here')),
  takeOverLost: () => Promise.reject(new Error('Not asked here')),
  auditNode: () => Promise.reject(new Error('Not asked here')),
  repairNode: () => Promise.reject(new Error('Not asked here')),
};
const tasks = { during: <Result>(_token: Uint8Array, work: () => Promise<Result>): Promise<Result> => work() };

let cluster: TestCluster;
let client: Client;
beforeAll(async () => {
  const activities = { ...createNodeControlActivities(service, tasks), ...createNodeBulkActivities(service, tasks) };
  cluster = await startTestCluster({ activities });
  client = new Client({ connection: cluster.connected.connection });
});
afterAll(() => cluster.stop());

describe('a call to a node', () => {
  test('that takes longer than its heartbeat timeout is no lost attempt while its worker lives', async () => {
    const command: GuestCommand = { verb: 'start', vmid };
    await expect(
      client.workflow.execute(WORKFLOW_TYPES.manageGuest, {
        taskQueue: CONTROL_QUEUE,
        workflowId: 'slow-start',
        args: [{ node: NODE, command, timings: { heartbeatTimeoutMs: HEARTBEAT_TIMEOUT_MS, callTimeoutMs: 1_000 } }],
      }),
    ).resolves.toEqual({ guest: null, config: 'started' });
    expect(starts).toHaveLength(1);
  });
});

describe('presence', () => {
  test('goes on while a reading of the inventory hangs, with the one before', async () => {
    await cluster.kedge.registerNode({ node: NODE, bootId: 'boot-1' });
    await expect.poll(async () => (await cluster.kedge.nodeStatus(NODE)).inventory?.node, { timeout: 10_000 }).toBe(NODE);
    inventoryHangs = true;
    // One that was under way may still have ended in time: only the second beat from here surely comes without a fresh one.
    const beats = new Set<string>();
    const beat = async (): Promise<number> => {
      const [presence] = (await client.workflow.getHandle(nodeWorkflowId(NODE)).describe()).raw.pendingActivities ?? [];
      return beats.add(JSON.stringify(presence?.lastHeartbeatTime)).size;
    };
    await expect.poll(beat, { timeout: 15_000, interval: 300 }).toBeGreaterThanOrEqual(4);
    expect(await cluster.kedge.nodeStatus(NODE)).toMatchObject({ silentSince: null, inventory: { node: NODE } });
    inventoryHangs = false;
  });
});
