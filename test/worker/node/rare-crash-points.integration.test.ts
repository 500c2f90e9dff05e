/** Crash points that no round of crash-rounds.e2e.test.ts comes past: what they guard is done twice, and nobody sees a difference. */
import { NEW_BALANCER } from '../../../src/domain/balance/judge-cluster.js';
import { NO_FENCING } from '../../support/no-fencing.js';
import { NO_PLACEMENT } from '../../../src/domain/plan/placement.js';
import { NO_RECOVERY } from '../../../src/domain/recovery.js';
import { DEFAULT_BALANCE_LIMITS } from '../../../src/domain/plan/plan-balance.js';
import { arm, crashHits, removeCrashFolder } from '../../support/crash-folder.js';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createControlActivities } from '../../../activities/control/create-control-activities.js';
import { CRASH_POINTS, type CrashPoint } from '../../../src/domain/crash-points.js';
import { randomCluster } from '../../../bench/plan/random-cluster.js';
import { newDrain } from '../../../src/domain/drain/drain-state.js';
import { parseGeneration, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { containerFiles } from '../../../src/drivers/lxc/container-ref.js';
import { connectQmp } from '../../../src/drivers/qmp/connect-qmp.js';
import { startFakeQmp } from '../../../src/drivers/qmp/fake.js';
import { containerOf } from '../../../worker/node/guests/container-of.js';
import { lookAtGuest } from '../../../worker/node/guests/look-at-guest.js';
import { manageGuest } from '../../../worker/node/guests/manage-guest.js';
import { noteEndedContainers } from '../../../worker/node/guests/watch-containers.js';
import { keepLease } from '../../../worker/node/handover/keep-lease.js';
import type { NodeContext } from '../../../worker/node/node-context.js';
import { answerPeer } from '../../../worker/node/peers/answer-peer.js';
import { actOnSource } from '../../../worker/node/recovery/act-on-source.js';
import { actOnTarget } from '../../../worker/node/recovery/act-on-target.js';
import { settleMigration } from '../../../worker/node/recovery/settle-migration.js';
import { confirmBoot } from '../../../worker/node/recovery/confirm-boot.js';
import { PASSAGES } from '../../../lab/faults/crash-passages.js';
import { directChannel } from '../../support/direct-channel.js';
import { receivingNode, stepOf, VMID, type ReceivingNode } from '../../support/receiving-node.js';

const NODE = parseNodeName('node1');
const PEER = parseNodeName('node2');
const CONTAINER = `arch: amd64\nhostname: rare\nmemory: 64\nrootfs: local:${VMID}/subvol-${VMID}-disk-0.subvol,size=0\nunprivileged: 1\n`;

let receiving: ReceivingNode;
let node: NodeContext;
beforeEach(async () => {
  receiving = await receivingNode();
  const channel = directChannel({ from: NODE, to: () => receiving.node, cuts: new Map() });
  node = { ...receiving.node, peers: { channel: () => Promise.resolve(channel), migrationAddress: () => '127.0.0.1' } };
});
afterEach(() => {
  receiving.remove();
});
afterAll(removeCrashFolder);

/** Does `work` with each point doing its effect twice. */
async function twice(points: readonly CrashPoint[], work: () => Promise<unknown>): Promise<void> {
  for (const point of points) arm(point, 'repeat');
  await work();
  expect(points.filter((point) => !crashHits().includes(`${point} repeat`))).toEqual([]);
}

describe('done twice', () => {
  it('the withdrawal of verified copies leaves nothing of them', async () => {
    const volumes = await receiving.prepare(2);
    for (const volume of volumes) await receiving.fill(2, volume);
    await receiving.publish(2, volumes);
    await twice(['target.withdraw-volumes', 'target.volumes-withdrawn'], () => receiving.revoke(2));
    expect([await receiving.state(), await Promise.all(volumes.map((volume) => receiving.has(volume)))]).toEqual(['revoked(2)', [false, false]]);
  });

  it('the note of kept disks has each of them once', async () => {
    await twice(['node.kept-volumes'], () => node.kept.add(VMID, ['local:901/vm-901-disk-0.raw'], stepOf(2).migrationId));
    expect(await node.kept.read(VMID)).toHaveLength(1);
  });

  it('a container is created, shut down and destroyed as if once', async () => {
    const { folder } = containerFiles(containerOf(node, VMID));
    await twice(['node.own-volume', 'node.create-volume'], () => manageGuest(node, { verb: 'create', kind: 'lxc', vmid: VMID, config: CONTAINER }));
    await twice(['node.shut-down-container'], () => manageGuest(node, { verb: 'shutdown', vmid: VMID }));
    await twice(['node.remove-container-folder', 'node.remove-volume', 'node.record-removal'], () => manageGuest(node, { verb: 'destroy', vmid: VMID }));
    expect([existsSync(folder), await node.records.read(VMID), await receiving.has(`local:${VMID}/subvol-${VMID}-disk-0.subvol`)]).toEqual([
      false,
      { kind: 'missing' },
      false,
    ]);
  });

  it('a destruction that was cut off after the config went is finished by the next', async () => {
    await manageGuest(node, { verb: 'create', kind: 'lxc', vmid: VMID, config: CONTAINER });
    await node.guestConfigs.remove(VMID);
    await manageGuest(node, { verb: 'destroy', vmid: VMID });
    expect(await node.records.read(VMID)).toEqual({ kind: 'missing' });
  });

  it('the record of a guest is confirmed for this boot', async () => {
    await node.records.write(owned({ bootId: 'earlier', wanted: 'stopped' }));
    await node.guestConfigs.write(VMID, 'qemu', 'memory: 64\n');
    await twice(['node.boot-record'], () => confirmBoot(node));
    expect(await node.records.read(VMID)).toMatchObject({ record: { bootId: node.bootId, state: 'owned', generation: 1 } });
  });

  it('a container that has shut itself down is wanted stopped', async () => {
    await node.records.write(owned({ kind: 'lxc', wanted: 'running' }));
    const { folder, log } = containerFiles(containerOf(node, VMID));
    mkdirSync(folder, { recursive: true });
    writeFileSync(log, 'x - Started "901" container\nx - Container init process 7 exited\nx - Container "901" is halting\n');
    await twice(['node.ended-record'], () => noteEndedContainers(node));
    expect(await node.records.read(VMID)).toMatchObject({ record: { wanted: 'stopped' } });
  });

  it('a stream is torn down', async () => {
    const socketPath = join(node.paths.run, 'qmp.sock');
    const qemu = await startFakeQmp({ socketPath, mode: 'auto', answers: { 'query-yank': () => [{ type: 'migration' }] } });
    node.monitors.adopt(VMID, connectQmp(socketPath));
    const look = await lookAtGuest(node, VMID);
    await twice(['source.yank'], () => actOnSource(node, request(NODE), { decision: { do: 'yank', row: 'test', because: 'test' }, look, frozen: true }));
    expect(qemu.requests.filter(({ command }) => command === 'yank')).toHaveLength(2);
    node.monitors.closeAll();
    await qemu.close();
  });

  it('one side is asked to settle what only it can', async () => {
    const look = await lookAtGuest(node, VMID);
    const because = 'test';
    await twice(['source.settle-message', 'node.settle-answer'], () =>
      actOnSource(node, request(NODE), { decision: { do: 'cont-on-target', row: 'test', because }, look, frozen: false }),
    );
    await twice(['target.settle-message'], () =>
      actOnTarget(node, request(PEER), { decision: { do: 'cont-on-source', row: 'test', because }, look, frozen: false }),
    );
    expect(await node.records.read(VMID)).toEqual({ kind: 'missing' });
  });

  it('the lease of a copy is renewed', async () => {
    vi.useFakeTimers({ toFake: ['setInterval'] });
    const renewal = keepLease(node, { step: stepOf(2), target: PEER });
    await twice(['source.lease-message'], async () => {
      vi.advanceTimersByTime(20_000);
      await vi.waitFor(() => expect(crashHits()).toContain('source.lease-message repeat'));
    });
    clearInterval(renewal);
    vi.useRealTimers();
  });

  it('a guest whose memory is lost is noted so', async () => {
    const peer = await receivingNode();
    const claim = { ...owned({ wanted: 'stopped' }), migrationId: stepOf(2).migrationId };
    await peer.node.records.write({ ...claim, generation: parseGeneration(2), state: 'incoming', peer: NODE, bootId: peer.node.bootId });
    await node.records.write({ ...claim, peer: PEER });
    await node.guestConfigs.write(VMID, 'qemu', 'memory: 64\n');
    const entry = {
      state: 'started',
      startedAt: new Date().toISOString(),
      reattached: 0,
      held: false,
      holdBeganAt: null,
      rounds: [],
      memoryLost: false,
    } as const;
    await node.streams.write(VMID, { ...entry, migrationId: claim.migrationId, limits: null });
    const channel = directChannel({ from: NODE, to: () => peer.node, cuts: new Map() });
    const there: NodeContext = { ...node, boot: { confirmed: true }, peers: { ...node.peers, channel: () => Promise.resolve(channel) } };
    await twice(['source.memory-lost'], async () => {
      expect(await settleMigration(there, { ...request(NODE), direction: 'back' })).toMatchObject({ outcome: 'source-owns', memoryLost: true });
    });
    peer.remove();
  });

  it('a probe of an older node is answered', async () => {
    await twice(['node.probe-answer'], async () => {
      const asked = { request: { op: 'probe', args: { payload: 'four' } }, signal: new AbortController().signal } as const;
      expect(await answerPeer(node, PEER, asked)).toEqual({ bytes: 4 });
    });
  });

  it('the control worker finds ended holders of slots, and serves drains', async () => {
    const activities = createControlActivities(
      {
        nodes: [],
        recovery: NO_RECOVERY,
        blackouts: () => Promise.resolve([]),
        nodeStatus: () => Promise.resolve(null),
        isRunning: (id) => Promise.resolve(id === 'migration-101'),
        requestSlot: () => Promise.resolve(),
        releaseSlot: () => Promise.resolve(),
        voidGuest: () => Promise.resolve(),
        dropVoided: () => Promise.resolve(),
        cordonNode: () => Promise.resolve(),
        scheduleWindow: () => Promise.resolve(),
        tellHook: () => Promise.resolve('200 OK'),
        runOnNode: () => Promise.resolve({ exitCode: 0, timedOut: false, output: '' }),
        changeAway: () => Promise.resolve(),
        placement: () => Promise.resolve(NO_PLACEMENT),
        balancePolicy: () => Promise.resolve(null),
        readBalance: () => Promise.resolve(null),
        takeSnapshot: () => Promise.resolve(randomCluster({ seed: 1, nodes: 3, guests: 3, rules: 0, full: 0.3 })),
        readMoves: () => Promise.resolve([]),
        fencing: NO_FENCING,
      },
      (work) => work(),
    );
    await twice(['control.find-ended-holders'], async () => {
      const runs = ['migration-101', 'migration-102'].map((holder) => ({ holder, runId: 'run' }));
      expect(await activities.findEndedHolders({ workflowIds: runs.map(({ holder }) => holder), runs })).toEqual({
        ended: ['migration-102'],
        endedRuns: [{ holder: 'migration-102', runId: 'run' }],
      });
    });
    const drained = parseNodeName('node1');
    await twice(['control.cordon-node'], () => activities.cordonNode({ node: drained, cordoned: true }));
    await twice(['control.change-away'], () => activities.changeAway({ node: drained, vmid: parseVmid(101), at: '2026-03-01T12:00:00Z', away: true }));
    await twice(['control.plan-drain'], async () => {
      const at = '2026-03-01T12:00:00Z';
      const { steps } = await activities.planDrain({
        plan: 'evacuate',
        node: drained,
        state: newDrain(at),
        parallel: 2,
        now: at,
        until: null,
        force: null,
        options: {},
        moveRetryMs: 1_000,
        lagMs: 1_000,
      });
      expect(steps.moves.length).toBeLessThanOrEqual(2);
    });
    await twice(['control.plan-balance'], async () => {
      const at = '2026-03-01T12:00:00Z';
      const limits = DEFAULT_BALANCE_LIMITS;
      const question = {
        state: newDrain(at),
        limits,
        parallel: 2,
        now: at,
        until: null,
        leave: [],
        memory: null,
        options: {},
        moveRetryMs: 1_000,
        lagMs: 1_000,
      };
      expect((await activities.planBalance(question)).moves.length).toBeLessThanOrEqual(2);
    });
    await twice(['control.watch-balance'], async () => {
      expect(await activities.watchBalance({ state: NEW_BALANCER, now: '2026-03-01T12:00:00Z' })).toEqual({ off: true });
    });
  });
});

it('every point that is passed rarely was done twice here', () => {
  const rare = CRASH_POINTS.filter((point) => 'rarely' in PASSAGES[point]);
  expect(rare.filter((point) => !crashHits().includes(`${point} repeat`))).toEqual([]);
});

function owned(fields: { readonly bootId?: string; readonly kind?: OwnershipRecord['kind']; readonly wanted: OwnershipRecord['wanted'] }): OwnershipRecord {
  return { vmid: VMID, kind: 'qemu', generation: parseGeneration(1), bootId: node.bootId, state: 'owned', ...fields };
}

function request(source: typeof NODE): Parameters<typeof actOnSource>[1] {
  return { step: stepOf(2), source, target: source === NODE ? PEER : NODE, direction: 'forward' };
}
