import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import { auditNode } from '../../../worker/node/audit/audit-node.js';
import { manageGuest } from '../../../worker/node/guests/manage-guest.js';
import type { NodeContext } from '../../../worker/node/node-context.js';
import { answerPeer } from '../../../worker/node/peers/answer-peer.js';
import { readGuests, readInventory } from '../../../worker/node/presence/read-inventory.js';
import { printRecord } from '../../../worker/node/records/record-format.js';
import { confirmBoot } from '../../../worker/node/recovery/confirm-boot.js';
import { recoverGuests } from '../../../worker/node/recovery/recover-guests.js';
import { claimGuest } from '../../../worker/node/steps/claim-guest.js';
import { configuredNode } from '../../support/configured-node.js';

const DAMAGED = parseVmid(101);
const OFF = parseVmid(102);
const REVOKED = parseVmid(103);
const PEER = parseNodeName('node2');
const CONFIG = 'name: test\nmemory: 64\n';
const owned = (vmid: typeof OFF, bootId: string): OwnershipRecord => ({
  vmid,
  kind: 'qemu',
  generation: parseGeneration(8),
  wanted: 'running',
  bootId,
  state: 'owned',
});
const GOOD = printRecord(owned(DAMAGED, 'the-boot-before'));
const DAMAGES: readonly (readonly [string, string])[] = [
  ['is empty', ''],
  ['was cut off', GOOD.slice(0, 40)],
  ['has one bit changed, and says generation 9', GOOD.replace('"generation":8', '"generation":9')],
  ['is full of zeroes', '\u0000'.repeat(GOOD.length)],
  ['is of another guest', printRecord(owned(OFF, 'the-boot-before'))],
  ['is of a newer Kedge', '{"format":2,"vmid":101,"state":"owned"}\n'],
];

let node: NodeContext;
let remove: () => void;
beforeEach(async () => {
  ({ node, remove } = await configuredNode({
    'storage.cfg': '',
    [`qemu-server/${DAMAGED}.conf`]: CONFIG,
    [`qemu-server/${OFF}.conf`]: CONFIG,
    [`qemu-server/${REVOKED}.conf`]: CONFIG,
  }));
  await node.records.write(owned(OFF, 'the-boot-before'));
  const generation = parseGeneration(3);
  await node.records.write({
    ...owned(REVOKED, node.bootId),
    generation,
    state: 'revoked',
    migrationId: migrationIdOf(REVOKED, generation),
    peer: PEER,
    ran: 'no',
  });
});
afterEach(() => {
  remove();
});

const fileOf = (target: NodeContext): string => join(target.paths.state, 'records', `${DAMAGED}.json`);

/** What a worker does when it begins, up to the registration of its boot. */
async function begin(): Promise<void> {
  await recoverGuests(node);
  node.boot.confirmed = true;
  await confirmBoot(node);
}

describe.each(DAMAGES)('a record that %s', (_what, damaged) => {
  beforeEach(() => {
    writeFileSync(fileOf(node), damaged);
  });

  test('keeps its own guest off, and no other from being looked after', async () => {
    await begin();
    expect(await node.records.read(OFF)).toMatchObject({ record: { bootId: node.bootId, wanted: 'stopped' } });
    expect(await node.guestConfigs.list()).toEqual([DAMAGED, OFF]);
    expect(node.starts.isUnderWay(DAMAGED)).toBe(false);
    await expect(manageGuest(node, { verb: 'start', vmid: DAMAGED })).rejects.toMatchObject({ code: 'record-unreadable' });
    await manageGuest(node, { verb: 'stop', vmid: OFF });
  });

  test('is named by inventory and audit, and stays as it is: it is evidence', async () => {
    await begin();
    const guests = await readGuests(node);
    expect(guests.map(({ vmid, record, generation }) => [vmid, record, generation])).toEqual([
      [DAMAGED, 'unreadable', null],
      [OFF, 'owned', 8],
    ]);
    expect((await auditNode(node)).guests.map(({ vmid, record }) => [vmid, record])).toContainEqual([DAMAGED, 'unreadable']);
    expect(readFileSync(fileOf(node), 'utf8')).toBe(damaged);
  });

  test('allows nothing to a peer and to a migration, and says so', async () => {
    const generation = parseGeneration(9);
    const args = { vmid: DAMAGED, migrationId: migrationIdOf(DAMAGED, generation), generation };
    const ask = (request: Parameters<typeof answerPeer>[2]['request']) => answerPeer(node, PEER, { request, signal: new AbortController().signal });
    expect(await ask({ op: 'observe', args: { vmid: DAMAGED } })).toMatchObject({ record: { kind: 'unreadable' }, qemu: 'gone' });
    for (const op of ['arm', 'go', 'revoke'] as const) await expect(ask({ op, args })).rejects.toMatchObject({ code: 'peer-refused' });
    await expect(claimGuest(node, { step: { ...args, sequence: 1 }, target: PEER })).rejects.toMatchObject({ code: 'record-unreadable' });
    await expect(manageGuest(node, { verb: 'create', vmid: DAMAGED, config: CONFIG })).rejects.toMatchObject({ code: 'record-unreadable' });
    await expect(manageGuest(node, { verb: 'destroy', vmid: DAMAGED })).rejects.toMatchObject({ code: 'record-unreadable' });
    expect(readFileSync(fileOf(node), 'utf8')).toBe(damaged);
    expect(await node.guestConfigs.list()).toContain(DAMAGED);
  });
});

describe('a node', () => {
  test('whose record is a folder goes on with its other guests', async () => {
    mkdirSync(fileOf(node));
    await begin();
    expect((await readGuests(node)).map(({ vmid, record }) => [vmid, record])).toEqual([
      [DAMAGED, 'unreadable'],
      [OFF, 'owned'],
    ]);
  });

  test('with a damaged guest config starts that guest never, and looks after the others', async () => {
    await node.records.write({ ...owned(DAMAGED, 'the-boot-before') });
    writeFileSync(join(node.paths.etc, `qemu-server/${DAMAGED}.conf`), 'name: test\nscsi0: ../../etc/shadow\n\u0000');
    await begin();
    expect(await node.records.read(DAMAGED)).toMatchObject({ record: { bootId: 'the-boot-before', generation: 8 } });
    expect(await node.records.read(OFF)).toMatchObject({ record: { bootId: node.bootId } });
    expect((await readGuests(node)).map(({ vmid }) => vmid)).toEqual([DAMAGED, OFF]);
  });

  test('with a damaged storage.cfg is present, and tells why it has no storages', async () => {
    writeFileSync(join(node.paths.etc, 'storage.cfg'), 'dir: local\n\tpath ../images\n');
    const { storages, problems, guests } = await readInventory(node);
    expect({ storages, problems }).toEqual({ storages: [], problems: [expect.stringMatching(/^Cannot read storage\.cfg at line 2, column 7: path is/)] });
    expect(guests.map(({ vmid }) => vmid)).toContain(OFF);
    rmSync(join(node.paths.etc, 'storage.cfg'));
    expect((await readInventory(node)).problems).toEqual([expect.stringMatching(/Cannot read configuration file .*storage\.cfg/)]);
  });
});
