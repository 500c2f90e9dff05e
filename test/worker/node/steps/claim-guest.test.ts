import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseGeneration, parseNodeName } from '../../../../src/domain/ids.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { claimGuest, type ClaimRequest } from '../../../../worker/node/steps/claim-guest.js';
import { configuredNode } from '../../../support/configured-node.js';
import { stepOf, VMID } from '../../../support/receiving-node.js';

const DISK = 'local:901/vm-901-disk-0.raw';
const ADDED = 'local:901/vm-901-disk-1.raw';
const CHECKED = `memory: 64\nvirtio0: ${DISK},size=1M\n`;
const REQUEST: ClaimRequest = { step: stepOf(2), target: parseNodeName('node2'), mode: 'offline', checked: CHECKED };
let node: NodeContext;
let remove: () => void;
beforeEach(async () => {
  ({ node, remove } = await configuredNode({}));
  await node.records.write({ vmid: VMID, kind: 'qemu', generation: parseGeneration(1), wanted: 'stopped', bootId: node.bootId, state: 'owned' });
  await node.guestConfigs.write(VMID, 'qemu', CHECKED);
});
afterEach(() => {
  remove();
});

const claimedBy = async (): Promise<string | undefined> => {
  const view = await node.records.read(VMID);
  return view.kind === 'record' ? view.record.migrationId : view.kind;
};

describe('the claim of a guest', () => {
  test.each(['added', 'removed'])('is refused, and touches nothing, when a volume was %s since it was checked', async (how) => {
    await node.guestConfigs.write(VMID, 'qemu', how === 'added' ? `${CHECKED}virtio1: ${ADDED},size=1M\n` : 'memory: 64\n');
    await expect(claimGuest(node, REQUEST)).rejects.toMatchObject({ code: 'config-changed', message: expect.stringContaining(how === 'added' ? ADDED : DISK) });
    expect(await claimedBy()).toBeUndefined();
  });

  test('that is repeated is refused as well: what is handed on is the config as it is now', async () => {
    await claimGuest(node, REQUEST);
    await node.guestConfigs.write(VMID, 'qemu', `${CHECKED}virtio1: ${ADDED},size=1M\n`);
    await expect(claimGuest(node, REQUEST)).rejects.toMatchObject({ code: 'config-changed' });
    expect(await claimedBy()).toBe(stepOf(2).migrationId);
  });

  test('takes the config as it is now when only other things were edited', async () => {
    const edited = CHECKED.replace('64', '128');
    await node.guestConfigs.write(VMID, 'qemu', edited);
    expect(await claimGuest(node, REQUEST)).toMatchObject({ config: edited });
    expect(await claimedBy()).toBe(stepOf(2).migrationId);
  });

  test('asks nothing of a workflow that does not say what was checked', async () => {
    await node.guestConfigs.write(VMID, 'qemu', `virtio1: ${ADDED}\n`);
    expect(await claimGuest(node, { step: stepOf(2), target: parseNodeName('node2') })).toMatchObject({ generation: 2 });
  });
});
