import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { PreparedCopy } from '../../../../activities/interface.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { prepareCopy } from '../../../../worker/node/offline/prepare-copy.js';
import { configuredNode } from '../../../support/configured-node.js';

const VMID = parseVmid(901);
const GENERATION = parseGeneration(2);

vi.mock('../../../../src/drivers/rsync/probe-rsync.js', () => ({ probeRsync: () => Promise.reject(new Error('there is no rsync')) }));

let node: NodeContext;
let remove: () => void;
beforeEach(async () => {
  ({ node, remove } = await configuredNode({ 'storage.cfg': '' }));
});
afterEach(() => {
  remove();
});

function prepare(config: string): Promise<PreparedCopy> {
  const step = { vmid: VMID, migrationId: migrationIdOf(VMID, GENERATION), generation: GENERATION, sequence: 1 };
  return prepareCopy(node, { step, source: parseNodeName('node1'), kind: 'qemu', config, wanted: 'running', volumes: [], targetStorage: '' });
}

async function preparedWith(config: string): Promise<string> {
  await prepare(config);
  return node.guestConfigs.read(VMID);
}

test('a guest without disks to copy needs no rsync', async () => {
  expect(await prepare('memory: 64\n')).toEqual({ volumes: [], rsync: null });
});

describe('the config of a guest that comes switched off', () => {
  test('says nothing of what it ran with when it was moved live before', async () => {
    expect(await preparedWith('machine: q35\nname: moved\nrunningmachine: pc-q35-9.0\nrunningcpu: kvm64\n')).toBe('machine: q35\nname: moved\n');
  });

  test('is otherwise its own to the letter', async () => {
    const config = '#a note\nname: moved\n\nmemory:   64\n';
    expect(await preparedWith(config)).toBe(config);
  });
});
