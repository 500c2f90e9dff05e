import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { giveBackCopy } from '../../../../worker/node/offline/give-back-copy.js';
import { handOverCopy } from '../../../../worker/node/offline/hand-over-copy.js';
import { configuredNode } from '../../../support/configured-node.js';
import { directChannel } from '../../../support/direct-channel.js';
import { receivingNode, stepOf, VMID, type ReceivingNode } from '../../../support/receiving-node.js';

const SOURCE = parseNodeName('node2');
const TARGET = parseNodeName('node1');
let target: ReceivingNode;
let source: NodeContext;
let remove: () => void;
beforeEach(async () => {
  target = await receivingNode();
  const made = await configuredNode({ 'node.yaml': 'name: node2\n' });
  remove = made.remove;
  const channel = directChannel({ from: SOURCE, to: () => target.node, cuts: new Map() });
  source = { ...made.node, peers: { channel: () => Promise.resolve(channel), migrationAddress: () => '127.0.0.1' } };
});
afterEach(() => {
  target.remove();
  remove();
});

/** The source has released the guest to the migration that issued generation 2. */
async function released(): Promise<void> {
  const { migrationId } = stepOf(2);
  const base = { vmid: VMID, kind: 'qemu', wanted: 'stopped', bootId: source.bootId } as const;
  await source.records.write({ ...base, generation: stepOf(1).generation, state: 'released', migrationId, peer: TARGET, mode: 'offline' });
}

async function stateOfSource(): Promise<string> {
  const view = await source.records.read(VMID);
  return view.kind === 'record' ? `${view.record.state}(${view.record.generation})` : view.kind;
}

describe('a guest that was released', () => {
  beforeEach(released);

  test('comes back when its target was armed and has revoked', async () => {
    const volumes = await target.prepare(2);
    await target.publish(2, volumes);
    await target.arm(2);
    await giveBackCopy(source, stepOf(2), { target: TARGET });
    expect([await stateOfSource(), await target.state()]).toEqual(['owned(3)', 'revoked(2)']);
  });

  test('does not come back while its target has it', async () => {
    await target.takeOver(2);
    await expect(giveBackCopy(source, stepOf(2), { target: TARGET })).rejects.toMatchObject({ code: 'cancel-refused' });
    expect([await stateOfSource(), await target.state()]).toEqual(['released(1)', 'owned(2)']);
  });

  test.each<[string, OwnershipRecord['state'], number]>([
    ['to the node that has it now', 'released', 2],
    ['later, after it had come back', 'released', 4],
    ['and a later migration to there was undone', 'revoked', 4],
  ])('does not come back when its target has passed it on %s, whose tombstone stays', async (_, state, generation) => {
    const volumes = await target.takeOver(2);
    await target.record(state, generation);
    const tombstone = await target.node.records.read(VMID);
    await expect(giveBackCopy(source, stepOf(2), { target: TARGET })).rejects.toMatchObject({
      code: 'cancel-refused',
      message: expect.stringContaining('gone on from there'),
    });
    expect([await stateOfSource(), await target.node.records.read(VMID)]).toEqual(['released(1)', tombstone]);
    for (const volume of volumes) expect(await target.has(volume)).toBe(true);
    expect(await target.node.guestConfigs.list()).toEqual([VMID]);
  });

  test.each<[OwnershipRecord['state'], number]>([
    ['owned', 2],
    ['releasing', 2],
    ['released', 2],
    ['released', 4],
  ])('is known to be handed over by a target that is %s(%i), when go is said again', async (state, generation) => {
    await target.takeOver(2);
    await target.record(state, generation);
    await handOverCopy(source, stepOf(2), { target: TARGET, attempt: 2 });
    expect(await target.state()).toBe(`${state}(${generation})`);
  });
});

describe('the undo of a preparation', () => {
  test('succeeds where the tombstone of a later time has been all along, and leaves it', async () => {
    await target.record('released', 7);
    await expect(target.prepare(2)).rejects.toMatchObject({ code: 'already-exists' });
    expect(await target.revoke(2)).toEqual({ ran: 'superseded' });
    expect(await target.state()).toBe('released(7)');
  });
});
