import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { guestRunFolder } from '../../../../src/config/paths.js';
import { parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import { runFiles } from '../../../../src/drivers/qemu/run-files.js';
import { scanQemu } from '../../../../src/drivers/qemu/scan-qemu.js';
import { startGuestFromDisk } from '../../../../worker/node/guests/start-guest.js';
import { startMarkedGuests } from '../../../../worker/node/guests/start-marked.js';
import { watchGuests } from '../../../../worker/node/guests/watch-guests.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { configuredNode } from '../../../support/configured-node.js';
import { stepOf, VMID } from '../../../support/receiving-node.js';

vi.mock('../../../../src/drivers/qemu/scan-qemu.js', () => ({ scanQemu: vi.fn(() => []) }));
vi.mock('../../../../worker/node/guests/start-guest.js', () => ({ startGuestFromDisk: vi.fn(() => Promise.resolve()) }));

let node: NodeContext;
let remove: () => void;
beforeEach(async () => {
  ({ node, remove } = await configuredNode({}));
  vi.mocked(startGuestFromDisk).mockReset();
  await own(VMID);
});
afterEach(() => {
  vi.mocked(scanQemu).mockReturnValue([]);
  vi.useRealTimers();
  remove();
});

/** Owned and free after a roll-back, its guest told to shut down before. */
async function own(vmid: typeof VMID, changes: Partial<Extract<OwnershipRecord, { state: 'owned' }>> = {}): Promise<void> {
  await node.records.write({ vmid, kind: 'qemu', generation: parseGeneration(3), wanted: 'running', bootId: node.bootId, state: 'owned', ...changes });
  await node.shutdowns.begin(vmid);
}

function runs(): void {
  const { pidFile } = runFiles(guestRunFolder(node.paths, VMID));
  vi.mocked(scanQemu).mockReturnValue([{ pid: 4711, startTime: 1, vmid: VMID, pidFile, command: [], incoming: false }]);
}

describe('a guest that was told to shut down and is wanted again', () => {
  test('is started when its process has ended, whenever that is, and only once', async () => {
    runs();
    await startMarkedGuests(node);
    expect([vi.mocked(startGuestFromDisk).mock.calls, await node.shutdowns.isAsked(VMID)]).toEqual([[], true]);
    vi.mocked(scanQemu).mockReturnValue([]);
    await startMarkedGuests(node);
    await startMarkedGuests(node);
    expect([vi.mocked(startGuestFromDisk).mock.calls, await node.shutdowns.isAsked(VMID)]).toEqual([[[node, VMID]], false]);
  });

  test('is looked at by the watch over the guests', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    const stop = watchGuests(node);
    vi.advanceTimersByTime(15_000);
    await vi.waitFor(() => expect(startGuestFromDisk).toHaveBeenCalledWith(node, VMID));
    stop();
  });

  test('is tried again when its start fails, and no other waits for it', async () => {
    const other = parseVmid(902);
    await own(other);
    vi.mocked(startGuestFromDisk).mockImplementation((_, vmid) => (vmid === VMID ? Promise.reject(new Error('no bridge')) : Promise.resolve()));
    await startMarkedGuests(node);
    expect([await node.shutdowns.isAsked(VMID), await node.shutdowns.isAsked(other)]).toEqual([true, false]);
  });

  test.each<[string, () => Promise<void>]>([
    ['while its mark does not hold any more', () => node.shutdowns.end(VMID)],
    ['while a migration claims it', () => own(VMID, { migrationId: stepOf(4).migrationId, peer: parseNodeName('node2'), mode: 'offline' })],
    ['in a boot that has not been confirmed', () => own(VMID, { bootId: 'another' })],
    ['when it is wanted stopped', () => own(VMID, { wanted: 'stopped' })],
  ])('is not started %s', async (_, change) => {
    await change();
    await startMarkedGuests(node);
    expect(startGuestFromDisk).not.toHaveBeenCalled();
  });
});
