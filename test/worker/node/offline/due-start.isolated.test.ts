import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { OwnershipRecord, RecordState, Wanted } from '../../../../src/domain/ownership.js';
import { launchGuest } from '../../../../worker/node/guests/launch-guest.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { endIncoming } from '../../../../worker/node/handover/end-incoming.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { giveBackCopy } from '../../../../worker/node/offline/give-back-copy.js';
import { startMoved } from '../../../../worker/node/offline/start-moved.js';
import { ownCopy } from '../../../../worker/node/offline/take-over-copy.js';
import { confirmBoot } from '../../../../worker/node/recovery/confirm-boot.js';
import { recoverUntilSettled } from '../../../../worker/node/recovery/recover-guests.js';
import { configuredNode } from '../../../support/configured-node.js';
import { startFakeGuest, type FakeGuest } from '../../../support/fake-guest.js';

vi.mock('../../../../worker/node/guests/launch-guest.js', async (original) => ({ ...(await original<object>()), launchGuest: vi.fn() }));

const VMID = parseVmid(901);
const PEER = parseNodeName('node2');
const GENERATION = parseGeneration(2);
const STEP = { vmid: VMID, migrationId: migrationIdOf(VMID, GENERATION), generation: GENERATION, sequence: 9 };
const POWER_CUT = new KedgeError('internal', 'The power fails');

let node: NodeContext;
let remove: () => void;
let guest: FakeGuest | null;
beforeEach(async () => {
  ({ node, remove } = await configuredNode({ 'storage.cfg': '', 'qemu-server/901.conf': 'name: moved\nmemory: 64\n' }));
  node.boot.confirmed = true;
  guest = null;
  vi.mocked(launchGuest).mockReset();
  vi.mocked(launchGuest).mockImplementation(async (on) => {
    guest = await startFakeGuest(on, VMID);
    return on.monitors.of(VMID);
  });
});
afterEach(async () => {
  node.monitors.closeAll();
  await guest?.kill();
  remove();
});

const launches = (): number => vi.mocked(launchGuest).mock.calls.length;

async function write(
  state: RecordState & ('armed' | 'releasing'),
  { wanted = 'running', generation = GENERATION }: { wanted?: Wanted; generation?: number } = {},
) {
  const { migrationId } = STEP;
  const base = { vmid: VMID, kind: 'qemu', generation: parseGeneration(generation), wanted, bootId: node.bootId } as const;
  const record = { ...base, migrationId, peer: PEER, mode: 'offline', state } as const;
  await node.records.write(record);
  return record;
}

async function handedOver(wanted: Wanted = 'running'): Promise<void> {
  await ownCopy(node, { ...(await write('armed', { wanted })), state: 'armed' });
}

/** Whatever ran is gone; the worker comes back on the next boot, which the cluster registers at once. */
async function powerCut(): Promise<void> {
  node.monitors.closeAll();
  await guest?.kill();
  guest = null;
  node = { ...node, bootId: `next-${node.bootId}`, boot: { confirmed: true } };
}

async function record(): Promise<OwnershipRecord | null> {
  const view = await node.records.read(VMID);
  return view.kind === 'record' ? view.record : null;
}

describe('a guest without onboot whose target reboots between its hand-over and its start', () => {
  const orders: readonly (readonly [string, () => Promise<{ startedAt: string | null }>])[] = [
    ['by the node once its boot is registered, and the step finds it on', () => confirmBoot(node).then(() => startMoved(node, STEP))],
    ['by the step, and the node leaves it alone', () => startMoved(node, STEP).then((started) => confirmBoot(node).then(() => started))],
    ['once, when both come at the same time', () => Promise.all([startMoved(node, STEP), confirmBoot(node)]).then(([started]) => started)],
  ];
  test.for(orders)('is started %s', async ([, come]) => {
    await handedOver();
    await powerCut();
    expect((await come()).startedAt).not.toBeNull();
    expect(launches()).toBe(1);
    expect(await record()).toMatchObject({ state: 'owned', wanted: 'running', bootId: node.bootId });
  });

  test('is started by the step when the node could not', async () => {
    await handedOver();
    await powerCut();
    vi.mocked(launchGuest).mockRejectedValueOnce(new KedgeError('qemu-start-failed', 'Cannot start QEMU'));
    await confirmBoot(node);
    await powerCut();
    vi.mocked(launchGuest).mockRejectedValueOnce(new KedgeError('qemu-start-failed', 'Cannot start QEMU'));
    await expect(startMoved(node, STEP)).rejects.toMatchObject({ code: 'qemu-start-failed' });
    expect((await startMoved(node, STEP)).startedAt).not.toBeNull();
    expect(launches()).toBe(3);
  });

  test('is started by the next worker when this one dies before the start', async () => {
    await handedOver();
    await powerCut();
    await node.starts.begin(VMID);
    await node.records.write({ vmid: VMID, kind: 'qemu', generation: GENERATION, wanted: 'running', bootId: node.bootId, state: 'owned' });
    await recoverUntilSettled(node, VMID);
    expect((await startMoved(node, STEP)).startedAt).not.toBeNull();
    expect(launches()).toBe(1);
  });

  test('stays off once it has run and the power fails again, and the step says so', async () => {
    await handedOver();
    await startMoved(node, STEP);
    await powerCut();
    await confirmBoot(node);
    expect(await startMoved(node, STEP)).toEqual({ startedAt: null });
    expect([launches(), await record()]).toMatchObject([1, { wanted: 'stopped' }]);
  });

  test('stays off when an operator has stopped it meanwhile', async () => {
    await handedOver();
    await manageGuest(node, { verb: 'stop', vmid: VMID });
    await powerCut();
    await confirmBoot(node);
    expect(await startMoved(node, STEP)).toEqual({ startedAt: null });
    expect(launches()).toBe(0);
  });

  test('stays off when it is wanted so', async () => {
    await handedOver('stopped');
    await powerCut();
    await confirmBoot(node);
    expect(await startMoved(node, STEP)).toEqual({ startedAt: null });
    expect(launches()).toBe(0);
  });
});

describe('a start that is due', () => {
  test('starts nothing before the guest is owned, and ends with a revocation', async () => {
    await write('armed');
    await node.dueStarts.begin(VMID, GENERATION);
    await powerCut();
    await confirmBoot(node);
    expect([launches(), await record()]).toMatchObject([0, { state: 'armed' }]);
    await endIncoming(node, VMID);
    expect(await node.dueStarts.isDue({ vmid: VMID, generation: GENERATION })).toBe(false);
  });

  test('means nothing to a later generation', async () => {
    await node.dueStarts.begin(VMID, GENERATION);
    await node.records.write({ vmid: VMID, kind: 'qemu', generation: parseGeneration(4), wanted: 'running', bootId: node.bootId, state: 'owned' });
    await powerCut();
    await confirmBoot(node);
    expect([launches(), await record()]).toMatchObject([0, { wanted: 'stopped' }]);
  });
});

describe('a source that reboots between the take-back of a guest and its start', () => {
  test('starts it, with or without onboot', async () => {
    await write('releasing', { generation: 1 });
    vi.mocked(launchGuest).mockRejectedValueOnce(POWER_CUT);
    await expect(giveBackCopy(node, STEP, { target: PEER })).rejects.toBe(POWER_CUT);
    await powerCut();
    await confirmBoot(node);
    expect([launches(), await record()]).toMatchObject([2, { state: 'owned', generation: 3, wanted: 'running' }]);
    await giveBackCopy(node, STEP, { target: PEER });
    expect(launches()).toBe(2);
  });
});
