import { mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { journalFolder, peerSocketFile, recordFolder, rsyncGrantFolder } from '../../../src/config/paths.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../src/domain/ids.js';
import { servePeers, type PeerServer } from '../../../src/drivers/peer/serve-peers.js';
import { grantFile, newGrantToken, writeGrant } from '../../../src/drivers/rsync/grant-store.js';
import { TaskJournal } from '../../../worker/node/journal/task-journal.js';
import type { NodeContext } from '../../../worker/node/node-context.js';
import { configuredNode } from '../../support/configured-node.js';

const VMID = parseVmid(101);
const GENERATION = parseGeneration(2);
let node: NodeContext;
let remove: () => void;
let server: PeerServer;
beforeAll(async () => {
  ({ node, remove } = await configuredNode({}));
  server = await servePeers({ socketFile: peerSocketFile(node.paths), handle: async () => ({ accepted: true }) });
});
afterAll(async () => {
  await server.close();
  remove();
});

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

test('what a node writes down, and where it listens, is for root alone (docs/security.md has the list)', async () => {
  const migrationId = migrationIdOf(VMID, GENERATION);
  await node.records.write({ vmid: VMID, kind: 'qemu', generation: GENERATION, wanted: 'stopped', bootId: node.bootId, state: 'owned' });
  await node.steps.claim({ vmid: VMID, generation: GENERATION, migrationId, sequence: 1 }, 1);
  await node.guestConfigs.write(VMID, 'qemu', 'memory: 64\n');
  const token = newGrantToken();
  const grants = rsyncGrantFolder(node.paths);
  await writeGrant(grants, { token, peer: parseNodeName('node2'), kind: 'file', path: '/srv/x' });
  const tasks = join(journalFolder(node.paths), 'tasks');
  mkdirSync(tasks, { recursive: true });
  const modes = [
    modeOf(join(recordFolder(node.paths), `${VMID}.json`)),
    modeOf(join(journalFolder(node.paths), `${VMID}.claim.json`)),
    modeOf(join(node.paths.etc, 'qemu-server', `${VMID}.conf`)),
    modeOf(grantFile(grants, token)),
    modeOf(peerSocketFile(node.paths)),
    await new TaskJournal(tasks).during(Buffer.from('a task token'), async () => modeOf(join(tasks, '23dac2ca4d7ff353d3e7232cef07ff2c'))).catch(String),
  ];
  expect(modeOf(grants)).toBe('700');
  expect(modes).toEqual(['600', '600', '600', '600', '600', '600']);
});
