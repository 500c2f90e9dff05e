/** `recoverNode`, over a cluster that is told by the test: what is asked, fenced, decided and taken, and when nothing is. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { parseGeneration } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { NodeEntityStatus } from '../../src/domain/node-facts.js';
import { NO_PLACEMENT } from '../../src/domain/plan/placement.js';
import { nodeWorkflowId, recoveryWorkflowId, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import type { FenceOutcome } from '../../src/drivers/fence/fence-node.js';
import { ALSO_LOST, guest, LOST, OFF, startRecoveryHarness, type FakeCluster, type RecoveryHarness } from '../support/recovery-harness.js';

let harness: RecoveryHarness;
let world: FakeCluster;
beforeAll(async () => {
  harness = await startRecoveryHarness();
});
afterAll(() => harness.stop());
beforeEach(async () => {
  world = await harness.reset();
});
const begin: RecoveryHarness['begin'] = (node) => harness.begin(node);
const seen: RecoveryHarness['seen'] = (accept, node) => harness.seen(accept, node);

describe('the recovery of a silent node', { timeout: 30_000 }, () => {
  test('fences it, makes its record of each guest void, has the guest taken over, and ends when it is back', async () => {
    world.guests = [guest(102), guest(103, { startOrder: 1 })];
    await begin();
    const report = await seen(({ taken }) => taken.length >= 2);
    expect(report.taken.slice(0, 2)).toMatchObject([
      { vmid: 103, to: 'node2', problem: null },
      { vmid: 102, to: 'node4', problem: null },
    ]);
    expect([world.fenced, world.voided.slice(0, 2)]).toEqual([['/fence-node3'], ['103 below 9', '102 below 9']]);
    world.silent.clear();
    expect((await seen(({ phase }) => phase === 'back')).proof).toMatchObject({ basis: 'fenced', bootId: 'boot' });
  });

  test('fences nothing that answers on any path', async () => {
    world.answering.set(LOST, 'refused');
    await begin();
    const { evidence } = await seen(({ evidence: facts }) => facts.length > 1);
    expect(evidence.join()).toMatch(/node1 gets nothing from control and a refusal from other of node3/);
    expect([world.fenced, world.voided]).toEqual([[], []]);
  });

  test('fences nothing while less than a majority of the nodes is heard', async () => {
    world.silent.add(ALSO_LOST);
    await begin();
    expect((await seen(({ evidence }) => evidence.length > 1)).evidence.join()).toMatch(/only 2 of 4 nodes are heard, 3 are a majority/);
    expect([world.fenced, world.voided]).toEqual([[], []]);
  });

  test.each([
    ['fails', () => Promise.resolve<FenceOutcome>({ off: false, reason: 'it has no power itself' }), /it has no power itself/],
    [
      'lies',
      () => {
        world.silent.clear();
        return Promise.resolve(OFF);
      },
      /and yet node3 is heard/,
    ],
  ])('asks an operator when its device %s, and decides nothing', async (_, fence, reason) => {
    world.device = fence;
    await begin();
    const { question } = await seen((report) => report.question !== null || report.phase === 'back');
    if (question !== null) expect(question).toMatch(reason);
    expect(world.voided).toEqual([]);
  });

  test('believes no device that says off of a node which another node still reaches', async () => {
    world.device = () => {
      world.answering.set(LOST, 'open');
      return Promise.resolve(OFF);
    };
    await begin();
    const { question, taken } = await seen((report) => report.question !== null || report.taken.length > 0);
    expect(question).toMatch(/says that node3 is off, and yet node3 has power: node1 reaches it at other[^]*may be that of another machine/);
    expect([taken, world.voided]).toEqual([[], []]);
  });

  test('waits for the word of an operator where no device is configured, and does not believe him while the node answers', async () => {
    world.device = null;
    await begin();
    expect((await seen(({ phase }) => phase === 'asking')).question).toMatch(/kedge node confirm-dead node3 --confirm node3/);
    await expect(harness.kedge.confirmDead({ node: LOST, statedBy: 'alice' })).rejects.toMatchObject({
      code: 'node-alive',
      message: expect.stringContaining('its heartbeats are heard'),
    });
    const status: NodeEntityStatus = { node: LOST, bootId: 'boot', registeredAt: null, cordoned: false, silentSince: '2026-01-01T00:00:00Z' };
    await harness.client.workflow.start(WORKFLOW_TYPES.nodePresence, { workflowId: nodeWorkflowId(LOST), taskQueue: 'nobody', memo: { status } });
    world.answering.set(LOST, 'open');
    await expect(harness.kedge.confirmDead({ node: LOST, statedBy: 'alice' })).rejects.toMatchObject({ code: 'node-alive' });
    expect(world.voided).toEqual([]);
    world.answering.clear();
    await harness.kedge.confirmDead({ node: LOST, statedBy: 'alice' });
    expect((await seen(({ taken }) => taken.length > 0)).proof).toMatchObject({ basis: 'operator', statedBy: 'alice' });
  });

  test('takes nothing from a node that has come back in another boot, whenever it does', async () => {
    world.device = () => {
      world.boots.set(LOST, 'next');
      return Promise.resolve(OFF);
    };
    await begin();
    await seen(({ phase }) => phase === 'asking');
    expect(world.voided).toEqual([]);
  });

  test('leaves a guest to its migration, and takes it once that has ended', async () => {
    world.running.add('migration-101');
    await begin();
    expect((await seen(({ left }) => left.length > 0)).left).toEqual([{ vmid: 101, reason: expect.stringMatching(/a migration of it is under way/) }]);
    expect(world.voided).toEqual([]);
    world.running.clear();
    await seen(({ taken }) => taken.length > 0);
  });

  test('tries the next node when one refuses, under the same generation', async () => {
    world.take = (by) => (by === 'node2' ? { outcome: 'refused', reason: 'it is full' } : { outcome: 'taken', started: true, problem: null });
    await begin();
    expect((await seen(({ taken }) => taken.length > 0)).taken[0]).toMatchObject({ vmid: 101, to: 'node4' });
    expect(world.voided.slice(0, 2)).toEqual(['101 below 9']);
  });

  test('survives a control worker that can not place guests now, and goes on with what it had decided', async () => {
    world.placement = () => Promise.reject(new KedgeError('bad-config', 'Cannot read kedge.yaml'));
    await begin();
    expect((await seen(({ trouble }) => trouble != null)).trouble).toMatch(/Cannot read kedge.yaml/);
    world.placement = () => Promise.resolve(NO_PLACEMENT);
    expect((await seen(({ taken }) => taken.length > 0)).trouble ?? null).toBeNull();
    expect(world.fenced).toEqual(['/fence-node3']);
  });

  test('fences nobody while recovery is off, whoever has begun it, and asks', async () => {
    world.isEnabled = false;
    await begin();
    expect((await seen(({ phase }) => phase === 'asking')).question).toMatch(/recovery is off in kedge.yaml[^]*confirm-dead/);
    expect(world.fenced).toEqual([]);
  });

  test('takes the word of an operator while its device hangs', async () => {
    let release = (): void => undefined;
    world.device = () => new Promise((resolve) => (release = () => resolve({ off: false, reason: 'late' })));
    await begin();
    await expect.poll(() => world.fenced, { timeout: 20_000 }).toEqual(['/fence-node3']);
    const recovery = harness.client.workflow.getHandle(recoveryWorkflowId(LOST));
    await recovery.executeUpdate('confirmDead', { args: [{ statedBy: 'alice' }] });
    expect((await seen(({ taken }) => taken.length > 0)).proof).toMatchObject({ basis: 'operator' });
    release();
  });

  test('asks nothing more when an operator has spoken while it looked', async () => {
    world.isEnabled = false;
    let list = (): void => undefined;
    world.mayList = new Promise((resolve) => (list = resolve));
    await begin();
    await seen(({ evidence }) => evidence.length > 0);
    await harness.client.workflow.getHandle(recoveryWorkflowId(LOST)).executeUpdate('confirmDead', { args: [{ statedBy: 'alice' }] });
    list();
    expect(await seen(({ taken }) => taken.length > 0)).toMatchObject({ phase: 'starting', question: null, proof: { basis: 'operator' } });
  });

  test('leaves a silent node alone whose guests would not start elsewhere anyway, and one that a window works on', async () => {
    world.guests = [guest(101, { wanted: 'stopped' })];
    await begin();
    expect((await seen(({ evidence }) => /no guest that should run/.test(evidence.join()))).question).toBeNull();
    world.guests = [guest(101)];
    world.running.add(`upkeep-${LOST}`);
    await seen(({ evidence }) => /a maintenance window is at work/.test(evidence.join()));
    expect([world.fenced, world.voided]).toEqual([[], []]);
    world.running.clear();
    await seen(({ taken }) => taken.length > 0);
  });

  test('is prepared for by a test of the devices, which asks all of them, or one, and cuts nothing', async () => {
    const report = await harness.kedge.testFencing({ node: null });
    expect(report.place).toBe('fencing.yaml of here');
    expect(report.tests.map(({ node, power, problems }) => [node, power, problems])).toEqual(
      ['node1', 'node2', 'node3', 'node4'].map((node) => [node, 'on', []]),
    );
    world.silent.clear();
    const one = await harness.kedge.testFencing({ node: LOST });
    expect(one.tests).toMatchObject([
      { node: LOST, problems: [{ severity: 'error', message: expect.stringContaining('may be the device, or the plug, of another machine') }] },
    ]);
    world.device = null;
    await expect(harness.kedge.testFencing({ node: null })).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('there is no fencing.yaml of here'),
    });
    expect(world.fenced).toEqual([]);
  });

  test('fences one node after the other', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.device = async () => {
      await held;
      return { off: false, reason: 'slow' };
    };
    await begin();
    await expect.poll(() => world.fenced, { timeout: 20_000 }).toEqual(['/fence-node3']);
    // The other one falls silent too, while three are still said to be heard.
    world.silent = new Set([ALSO_LOST]);
    world.guests = [guest(104, { newest: { generation: parseGeneration(5), owner: ALSO_LOST } })];
    await begin(ALSO_LOST);
    await seen(({ question }) => /another node is being fenced/.test(question ?? ''), ALSO_LOST);
    expect(world.fenced).toEqual(['/fence-node3']);
    release();
  });
});
