/** Heartbeats on a shared storage: node1 writes, node2 looks. Real files, real time. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { heartbeatName } from '../../../../src/drivers/storage/node-heartbeat.js';
import { beatOnStorage } from '../../../../worker/node/heartbeat/beat-on-storage.js';
import { seeHeartbeat } from '../../../../worker/node/heartbeat/see-heartbeat.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { LOST, lostCluster, OTHER, type LostCluster } from '../../../support/lost-cluster.js';

let cluster: LostCluster;
let stop = (): void => undefined;
beforeEach(async () => {
  cluster = await lostCluster();
});
afterEach(() => {
  stop();
  cluster.remove();
});

/** The node as its kedge.yaml would have it with this storage. */
function withHeartbeat(name: typeof LOST, storageHeartbeat = 'shared'): NodeContext {
  const node = cluster.node(name);
  return { ...node, cluster: { ...node.cluster, recovery: { ...node.cluster.recovery, storageHeartbeat } } };
}
const file = (): string => join(cluster.notes.folder, heartbeatName(LOST));

test('a node that writes its heartbeat is seen by another one, and is seen to be still once it stops', { timeout: 30_000 }, async () => {
  stop = beatOnStorage(withHeartbeat(LOST));
  await vi.waitUntil(() => readBeat() !== null, { timeout: 10_000 });
  expect(await seeHeartbeat(withHeartbeat(OTHER), LOST)).toEqual({ storage: 'shared', moves: true });
  stop();
  expect(await seeHeartbeat(withHeartbeat(OTHER), LOST, { watchMs: 700 })).toEqual({ storage: 'shared', moves: false });
});

test('a heartbeat that is not there, or that somebody wrote long ago, shows nothing', async () => {
  expect(await seeHeartbeat(withHeartbeat(OTHER), LOST, { watchMs: 600 })).toEqual({ storage: 'shared', moves: false });
  mkdirSync(cluster.notes.folder, { recursive: true });
  writeFileSync(file(), 'boot 1 7\n');
  expect(await seeHeartbeat(withHeartbeat(OTHER), LOST, { watchMs: 600 })).toEqual({ storage: 'shared', moves: false });
  rmSync(file());
});

test('nothing is written, looked for or said without a configured storage, and nothing is said by a node that does not see it', async () => {
  const plain = cluster.node(LOST);
  beatOnStorage(plain)();
  expect(await seeHeartbeat(plain, OTHER)).toBeNull();
  expect(await seeHeartbeat(withHeartbeat(OTHER, 'elsewhere'), LOST)).toBeNull();
  expect(readBeat()).toBeNull();
});

function readBeat(): string | null {
  try {
    return readFileSync(file(), 'utf8');
  } catch {
    return null;
  }
}
