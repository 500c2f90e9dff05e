import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { CONTROL_START } from '../../../src/client/control-start.js';
import { parseVmid } from '../../../src/domain/ids.js';
import { BALANCE_ID, WORKFLOW_TYPES } from '../../../src/domain/workflow-names.js';
import { NODE, OTHER, startTestCluster, type TestCluster } from '../../support/test-cluster.js';

const SINCE = '2020-01-01T00:00:00Z';
const vmid = parseVmid(101);
let cluster: TestCluster;
beforeAll(async () => {
  cluster = await startTestCluster();
  const { kedge } = cluster;
  await kedge.registerNode({ node: NODE, bootId: 'boot-1' });
  await kedge.cordonNode(NODE, true);
  await kedge.cordonNode(NODE, false);
  await kedge.manageGuest({ node: NODE, command: { verb: 'start', vmid } });
  await kedge.manageGuest({ node: NODE, command: { verb: 'show', vmid } });
  // The target has never registered: refused.
  await vi.waitUntil(async () => (await kedge.listNodes())[0]?.inventory?.guests.length === 1, { timeout: 10_000 });
  await kedge.startMigration({ vmid, target: OTHER, requestedBy: 'tester', timings: { silentAfterMs: 500, retryFirstMs: 50 } });
});
afterAll(() => cluster.stop());

describe('events over a real server', () => {
  it('tell what nodes, guests and migrations did, in order', async () => {
    const wanted = ['node-registered', 'node-cordoned', 'node-uncordoned', 'guest-command', 'migration-started', 'migration-failed'];
    await expect.poll(async () => (await cluster.kedge.events.list({ since: SINCE })).map(({ kind }) => kind), { timeout: 30_000 }).toEqual(wanted);
    const events = await cluster.kedge.events.list({ since: SINCE });
    expect(events.find(({ kind }) => kind === 'migration-started')?.text).toContain('asked for by tester');
    expect(events.find(({ kind }) => kind === 'guest-command')).toMatchObject({ vmid, nodes: [NODE], text: 'Command start of guest 101 on node1 was done' });
    expect(await cluster.kedge.events.list({ since: SINCE })).toEqual(events);
  });

  it('are the history of a guest or a node when those are asked for', async () => {
    const kinds = async (filter: object) => (await cluster.kedge.events.list({ since: SINCE, ...filter })).map(({ kind }) => kind);
    expect(await kinds({ vmid })).toEqual(['guest-command', 'migration-started', 'migration-failed']);
    expect(await kinds({ vmid: parseVmid(102) })).toEqual([]);
    expect(await kinds({ node: OTHER })).toEqual(['migration-started', 'migration-failed']);
  });

  it('are told once each to who follows, and new ones as they come', async () => {
    const ending = new AbortController();
    const seen: string[] = [];
    for await (const { events } of cluster.kedge.events.follow({ since: SINCE }, { signal: ending.signal, everyMs: 200 })) {
      seen.push(...events.map(({ kind }) => kind));
      if (seen.length === 6) await cluster.kedge.cordonNode(NODE, true);
      if (seen.includes('node-cordoned', 3)) ending.abort();
    }
    expect(seen).toHaveLength(7);
  });
});

describe('migrations that failed', () => {
  it('are listed by state, time and node, also by a source that nobody named', async () => {
    const count = async (filter: object) => (await cluster.kedge.listMigrations(filter)).length;
    expect(await count({ failed: true })).toBe(1);
    expect(await count({ running: true })).toBe(0);
    expect(await count({ failed: true, since: '2099-01-01T00:00:00Z' })).toBe(0);
    expect(await count({ node: OTHER })).toBe(1);
  });

  it('tell of balances', async () => {
    const client = new Client({ connection: cluster.connected.connection });
    const handle = await client.workflow.start(WORKFLOW_TYPES.balanceCluster, { ...CONTROL_START, workflowId: BALANCE_ID, args: [{ maxMoves: 0 }] });
    await expect(handle.result()).rejects.toThrow();
    const told = () => cluster.kedge.events.list({ since: SINCE, sorts: ['balance-failed'] });
    await expect.poll(told, { timeout: 30_000 }).toMatchObject([{ workflowId: BALANCE_ID, text: expect.stringContaining('maxMoves') }]);
  });
});
