/* eslint-disable max-lines -- one set-up for all repairs of a node, and one test after the other */
/**
 * Repairs on one node: each looks again, and does nothing that somebody could still need. Each effect is done twice here, as after a crash between
 * the effect and its answer.
 */
import { arm, crashHits, removeCrashFolder } from '../../../support/crash-folder.js';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { rsyncGrantFolder } from '../../../../src/config/paths.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { GuestView, OwnershipRecord, QemuState, RecordView } from '../../../../src/domain/ownership.js';
import type { NodeRepair, RepairResult } from '../../../../src/domain/repair.js';
import { readStartTime } from '../../../../src/drivers/host/process-identity.js';
import { newGrantToken, writeGrant } from '../../../../src/drivers/rsync/grant-store.js';
import { auditNode } from '../../../../worker/node/audit/audit-node.js';
import { configDigest } from '../../../../worker/node/audit/repair-things.js';
import { repairNode } from '../../../../worker/node/audit/repair-node.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { askPeer } from '../../../../worker/node/recovery/ask-peer.js';
import { configuredNode } from '../../../support/configured-node.js';

vi.mock('../../../../worker/node/recovery/ask-peer.js', () => ({ askPeer: vi.fn() }));

/** A number of this run alone: processes of guests are looked for on the whole machine. */
const VMID = parseVmid(900_000_000 + (process.pid % 99_999_999));
const PEER = parseNodeName('node2');
const DEAD = migrationIdOf(VMID, parseGeneration(4));
const VOLUME = `local:${VMID}/vm-${VMID}-disk-0.raw`;
const CONFIG = 'name: web\nmemory: 64\n';

const POINTS = ['node.discard-copy', 'node.kill-process', 'node.record-copy', 'node.run-file-removal', 'node.tombstone-record'] as const;

let node: NodeContext;
let remove: () => void;
let local: string;
let child: ChildProcess | null = null;
beforeEach(async () => {
  for (const point of POINTS) arm(point, 'repeat');
  local = mkdtempSync(join(tmpdir(), 'kedge-local-'));
  const made = await configuredNode({
    'storage.cfg': `dir: local\n\tpath ${local}\n\tcontent images\n`,
    'kedge.yaml': 'cluster: test\nnodes:\n  node1: { address: 127.0.0.1 }\n  node2: { address: 127.0.0.1 }\n',
  });
  node = { ...made.node, boot: { confirmed: true } };
  remove = made.remove;
  peerSays({ kind: 'missing' });
});
afterAll(() => {
  const hits = crashHits();
  removeCrashFolder();
  expect(POINTS.filter((point) => !hits.includes(`${point} repeat`))).toEqual([]);
});
afterEach(async () => {
  await endChild();
  remove();
  rmSync(local, { recursive: true });
});

function peerSays(record: RecordView, qemu: QemuState = 'gone'): void {
  const view: GuestView = { node: PEER, bootId: 'peer-boot', record, qemu };
  vi.mocked(askPeer).mockResolvedValue(view);
}
const base = { vmid: VMID, kind: 'qemu', wanted: 'running' } as const;
const peerOwns = (qemu: QemuState = 'running', generation = 7): void =>
  peerSays({ kind: 'record', record: { ...base, generation: parseGeneration(generation), bootId: 'peer-boot', state: 'owned' } }, qemu);
const write = (state: 'incoming' | 'armed' | 'released'): Promise<void> =>
  node.records.write({ ...base, generation: parseGeneration(4), bootId: node.bootId, migrationId: DEAD, peer: PEER, state });
const owns = (changes: { migrationId?: typeof DEAD; peer?: typeof PEER } = {}): Promise<void> =>
  node.records.write({ ...base, generation: parseGeneration(3), bootId: node.bootId, state: 'owned', ...changes });
const recordFile = (): string => join(node.paths.state, 'records', `${VMID}.json`);
const own = async (): Promise<OwnershipRecord | null> => {
  const view = await node.records.read(VMID);
  return view.kind === 'record' ? view.record : null;
};
const repair = (what: NodeRepair): Promise<RepairResult> => repairNode(node, { node: node.node, vmid: VMID, repair: what });

/** Something that the kernel shows as a QEMU of the guest; nobody can ask it anything. */
async function plant(words: readonly string[] = []): Promise<NodeRepair & { do: 'end-process' }> {
  child = spawn(process.execPath, ['-e', 'process.stdout.write("up"); setInterval(() => {}, 1000)', '--', '-name', `${VMID}-planted`, ...words], {
    argv0: 'qemu-planted',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  if (child.stdout !== null) await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  return { do: 'end-process', pid, startTime: readStartTime(pid) ?? 0 };
}
async function endChild(): Promise<void> {
  if (child?.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit');
  child = null;
}
const lives = (): boolean => readStartTime(child?.pid ?? 0) !== null;

describe('a planted process', () => {
  test('is found as none of ours, and ended once the peer says that it owns and runs the guest; again is fine', async () => {
    const end = await plant(['-incoming', 'defer']);
    expect((await auditNode(node)).processes).toContainEqual(expect.objectContaining({ vmid: VMID, own: false, incoming: true, waiting: false }));
    peerOwns();
    expect(await repair(end)).toMatchObject({ outcome: 'done' });
    expect(lives()).toBe(false);
    expect(await repair(end)).toMatchObject({ outcome: 'gone' });
  });

  test.for<[string, () => void]>([
    ['the peer is silent', () => vi.mocked(askPeer).mockResolvedValue('unreachable')],
    ['the owner does not run the guest', () => peerOwns('gone')],
    ['nobody owns it', () => peerSays({ kind: 'missing' })],
    ["the owner's record can't be read", () => peerSays({ kind: 'unreadable', reason: 'cut off' }, 'running')],
  ])('lives on while %s', async ([, say]) => {
    const end = await plant();
    say();
    expect(await repair(end)).toMatchObject({ outcome: 'refused' });
    expect(lives()).toBe(true);
  });

  test('lives on when its pid belongs to another process by now', async () => {
    const end = await plant();
    peerOwns();
    expect(await repair({ ...end, startTime: 1 })).toMatchObject({ outcome: 'gone' });
    expect(lives()).toBe(true);
  });

  test('lives on where this node owns the guest and has no other process of it', async () => {
    const end = await plant();
    await owns();
    expect(await repair(end)).toMatchObject({ outcome: 'refused' });
    expect(lives()).toBe(true);
  });
});

describe('a record', () => {
  const setAside = (): readonly string[] => readdirSync(join(node.paths.state, 'records')).filter((name) => name.includes('set-aside'));
  const alter = (): void => writeFileSync(recordFile(), readFileSync(recordFile(), 'utf8').replace('"owned"', '"armed"'));

  test('that was altered is kept as evidence, and a tombstone of the owner’s generation takes its place', async () => {
    await owns();
    alter();
    const altered = readFileSync(recordFile(), 'utf8');
    peerOwns();
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'done', because: expect.stringContaining('set-aside') });
    expect(await own()).toMatchObject({ state: 'revoked', generation: 7, peer: PEER, ran: 'no' });
    expect(setAside().map((name) => readFileSync(join(node.paths.state, 'records', name), 'utf8'))).toEqual([altered]);
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'gone' });
    expect(await node.records.list()).toEqual([VMID]);
  });

  test('stays while nobody surely owns the guest elsewhere', async () => {
    await owns();
    alter();
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'refused' });
    vi.mocked(askPeer).mockResolvedValue('unreachable');
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'refused' });
    expect(setAside()).toEqual([]);
  });

  test('stays while a process of the guest is here', async () => {
    await plant();
    await owns();
    alter();
    peerOwns();
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'refused', because: expect.stringContaining('process') });
  });

  test('of a second owner gives way only if it is the older one and has no config', async () => {
    await owns();
    peerOwns('running', 2);
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'refused' });
    peerOwns('running', 7);
    await node.guestConfigs.write(VMID, 'qemu', CONFIG);
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'refused' });
    await node.guestConfigs.remove(VMID);
    expect(await repair({ do: 'replace-record' })).toMatchObject({ outcome: 'done' });
    expect(await own()).toMatchObject({ state: 'revoked', generation: 7 });
  });

  test('that an ended migration left as incoming is given up with what it prepared; one of another migration is left alone', async () => {
    await write('incoming');
    await node.guestConfigs.write(VMID, 'qemu', CONFIG);
    expect(await repair({ do: 'settle', migrationId: `${VMID}-9` })).toMatchObject({ outcome: 'gone' });
    expect(await own()).toMatchObject({ state: 'incoming' });
    expect(await repair({ do: 'settle', migrationId: DEAD })).toMatchObject({ outcome: 'done' });
    expect(await own()).toMatchObject({ state: 'revoked', generation: 4, ran: 'no' });
    expect(node.guestConfigs.kindOf(VMID)).toBeNull();
  });

  test('that is lost is not written anew while the guest does not run here', async () => {
    await node.guestConfigs.write(VMID, 'qemu', CONFIG);
    expect(await repair({ do: 'adopt' })).toMatchObject({ outcome: 'refused' });
    expect(await own()).toBeNull();
  });
});

describe('an unfinished copy of a disk', () => {
  const folder = (): string => join(local, 'images', String(VMID));
  const file = (): string => join(folder(), `.incoming-${DEAD}-vm-${VMID}-disk-0.raw`);
  const discard: NodeRepair = { do: 'discard-copy', volumeId: VOLUME, migrationId: DEAD };
  beforeEach(async () => {
    mkdirSync(folder(), { recursive: true });
    writeFileSync(file(), 'half');
    await writeGrant(rsyncGrantFolder(node.paths), { token: newGrantToken(), peer: PEER, kind: 'file', path: file() });
  });
  const grants = (): number => readdirSync(rsyncGrantFolder(node.paths)).length;

  test('is found with the permission to write to it, and goes with it', async () => {
    const { files, incoming, journalOpen } = await auditNode(node);
    expect(files).toContain(file());
    expect(incoming).toEqual([expect.objectContaining({ vmid: VMID, volumeId: VOLUME, migrationId: DEAD })]);
    expect(journalOpen).toEqual([expect.objectContaining({ journal: 'grant', key: file(), migrationId: DEAD })]);
    expect(await repair(discard)).toMatchObject({ outcome: 'done' });
    expect([existsSync(file()), grants()]).toEqual([false, 0]);
    expect(await repair(discard)).toMatchObject({ outcome: 'gone' });
  });

  test('stays while the record is prepared for its migration, as does the permission', async () => {
    await write('incoming');
    expect(await repair(discard)).toMatchObject({ outcome: 'gone' });
    expect(await repair({ do: 'close-journal', journal: 'grant', key: file() })).toMatchObject({ outcome: 'gone' });
    expect([existsSync(file()), grants()]).toEqual([true, 1]);
  });

  test('stays while the record can’t be read', async () => {
    writeFileSync(recordFile(), '{');
    expect(await repair(discard)).toMatchObject({ outcome: 'refused' });
    expect(existsSync(file())).toBe(true);
  });

  test('never takes the disk with it that somebody has linked to it', async () => {
    const disk = join(folder(), `vm-${VMID}-disk-0.raw`);
    writeFileSync(disk, 'data');
    rmSync(file());
    linkSync(disk, file());
    expect(await repair(discard)).toMatchObject({ outcome: 'done' });
    expect([existsSync(file()), readFileSync(disk, 'utf8')]).toEqual([false, 'data']);
  });

  test('is closed for writing by itself once no record speaks of it', async () => {
    expect(await repair({ do: 'close-journal', journal: 'grant', key: file() })).toMatchObject({ outcome: 'done' });
    expect([existsSync(file()), grants()]).toEqual([true, 0]);
  });
});

describe('what is noted', () => {
  const journal = (name: string): string => join(node.paths.state, 'journal', `${VMID}.${name}.json`);

  test('of a stream is closed unless the record speaks of a migration', async () => {
    writeFileSync(journal('stream'), '{}\n');
    await owns({ migrationId: DEAD, peer: PEER });
    expect(await repair({ do: 'close-journal', journal: 'stream', key: '' })).toMatchObject({ outcome: 'gone' });
    expect(existsSync(journal('stream'))).toBe(true);
    await owns();
    expect(await repair({ do: 'close-journal', journal: 'stream', key: '' })).toMatchObject({ outcome: 'done' });
    expect(existsSync(journal('stream'))).toBe(false);
  });

  test('of a claim of nobody is forgotten, unless it is of a later step by now', async () => {
    writeFileSync(journal('claim'), '{"generation":4,"sequence":2,"attempt":1}\n');
    expect((await auditNode(node)).journalOpen).toEqual([expect.objectContaining({ journal: 'claim', key: '4.2.1' })]);
    expect(await repair({ do: 'close-journal', journal: 'claim', key: '4.1.1' })).toMatchObject({ outcome: 'gone' });
    expect(await repair({ do: 'close-journal', journal: 'claim', key: '4.2.1' })).toMatchObject({ outcome: 'done' });
    expect(existsSync(journal('claim'))).toBe(false);
  });
});

describe('a config without a record', () => {
  const removeIt: NodeRepair = { do: 'remove-config', digest: configDigest(CONFIG) };

  test('goes while the peer surely owns the guest and nobody has edited it', async () => {
    await node.guestConfigs.write(VMID, 'qemu', CONFIG);
    expect((await auditNode(node)).configs).toEqual([{ vmid: VMID, digest: configDigest(CONFIG) }]);
    expect(await repair(removeIt)).toMatchObject({ outcome: 'refused' });
    peerOwns('gone');
    await node.guestConfigs.write(VMID, 'qemu', `${CONFIG}cores: 2\n`);
    expect(await repair(removeIt)).toMatchObject({ outcome: 'refused' });
    await node.guestConfigs.write(VMID, 'qemu', CONFIG);
    expect(await repair(removeIt)).toMatchObject({ outcome: 'done' });
    expect(await repair(removeIt)).toMatchObject({ outcome: 'gone' });
  });

  test('stays when a guest of that number was created meanwhile', async () => {
    await Promise.all([node.guestConfigs.write(VMID, 'qemu', CONFIG), owns()]);
    expect(await repair(removeIt)).toMatchObject({ outcome: 'gone' });
  });
});

describe('names that come from outside', () => {
  test.each<NodeRepair>([
    { do: 'remove-run-file', file: `qemu/${VMID}/../../x` },
    { do: 'remove-run-file', file: `qemu/${VMID - 1}/pid` },
    { do: 'remove-run-file', file: `qemu/${VMID}/..` },
    { do: 'remove-interface', name: 'eth0' },
    { do: 'remove-interface', name: `tap${VMID - 1}i0` },
    { do: 'remove-packet-rules', table: 'inet filter' },
    { do: 'remove-packet-rules', table: 'inet kedge; flush ruleset' },
  ])('are refused when they are none of the guest’s, or not Kedge’s: %o', async (what) => {
    expect(await repair(what)).toMatchObject({ outcome: 'refused' });
  });

  test('a socket goes when no process of the guest is there, and stays with one', async () => {
    const folder = join(node.paths.run, 'qemu', String(VMID));
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'control.qmp'), '');
    const removeIt: NodeRepair = { do: 'remove-run-file', file: `qemu/${VMID}/control.qmp` };
    await plant();
    expect(await repair(removeIt)).toMatchObject({ outcome: 'gone' });
    await endChild();
    expect(await repair(removeIt)).toMatchObject({ outcome: 'done' });
    expect(existsSync(join(folder, 'control.qmp'))).toBe(false);
  });
});
