import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid, type Vmid } from '../../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../../src/domain/ownership.js';
import { scanQemu } from '../../../../src/drivers/qemu/scan-qemu.js';
import { createNodeContext } from '../../../../worker/node/create-node-context.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { readGuests } from '../../../../worker/node/presence/read-inventory.js';

vi.mock('../../../../src/drivers/qemu/scan-qemu.js', () => ({ scanQemu: vi.fn(() => []) }));

let root: string;
let node: NodeContext;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'kedge-presence-'));
  const paths = { etc: join(root, 'etc'), state: join(root, 'state'), run: join(root, 'run') };
  for (const folder of Object.values(paths)) mkdirSync(folder);
  writeFileSync(join(paths.run, 'boot-id'), 'boot-of-node1\n');
  writeFileSync(join(paths.etc, 'node.yaml'), `name: node1\nbootIdFile: ${join(paths.run, 'boot-id')}\n`);
  writeFileSync(join(paths.etc, 'kedge.yaml'), 'cluster: test\nnodes:\n  node1: { address: 127.0.0.1 }\n');
  node = await createNodeContext(paths);
  vi.mocked(scanQemu).mockClear();
});

afterEach(() => {
  rmSync(root, { recursive: true });
});

function record(vmid: Vmid, state: 'owned' | 'released' | 'revoked'): OwnershipRecord {
  const generation = parseGeneration(1);
  const base = { vmid, kind: 'qemu', generation, wanted: 'stopped', bootId: node.bootId } as const;
  const moved = { ...base, migrationId: migrationIdOf(vmid, parseGeneration(2)), peer: parseNodeName('node2') };
  if (state === 'owned') return { ...base, state };
  return state === 'released' ? { ...moved, state } : { ...moved, state, ran: 'no' };
}

describe('readGuests()', () => {
  test('looks for no process of a guest that has moved away', async () => {
    await node.records.write(record(parseVmid(101), 'released'));
    await node.records.write(record(parseVmid(102), 'revoked'));
    expect(await readGuests(node)).toEqual([]);
    expect(scanQemu).not.toHaveBeenCalled();
  });

  test('looks through all processes once, however many guests are off', async () => {
    for (const vmid of [101, 102, 103]) await node.records.write(record(parseVmid(vmid), 'owned'));
    const guests = await readGuests(node);
    expect(guests.map(({ vmid, qemu }) => [vmid, qemu])).toEqual([
      [101, 'gone'],
      [102, 'gone'],
      [103, 'gone'],
    ]);
    expect(scanQemu).toHaveBeenCalledTimes(1);
  });
});
