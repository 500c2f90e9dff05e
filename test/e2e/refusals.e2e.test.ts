import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Wish } from '../../lab/faults/break-machine.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';

const VMID = 104;
const USAGE = 2;
const REFUSED = 3;

/** The last line that `kedge migrate --json` prints, as far as it is judged here. */
const endSchema = z.object({
  error: z.object({ code: z.string(), findings: z.array(z.object({ id: z.string(), severity: z.string(), remedy: z.string() })) }),
});

interface Refusal {
  readonly exit: number | null;
  readonly code: string;
  readonly blockers: readonly string[];
  readonly text: string;
}

describe('a migration that cannot succeed is refused before anything changes', () => {
  let world: LabWorld;
  let before: string;
  let undo: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'refuse', nodes: 3 });
    await world.createWitness({ vmid: VMID }, 'node1');
  });
  afterAll(() => world.close());
  beforeEach(() => {
    before = fingerprint();
  });
  afterEach(async () => {
    for (const step of undo.reverse()) await step();
    undo = [];
  });

  it.each([
    ['an unknown guest', ['999', 'node2'], 'guest-unknown', /999/],
    ['an unknown node', [String(VMID), 'node9'], 'target-unknown', /node9.*node1, node2, node3/],
    ['the node that has it', [String(VMID), 'node1'], 'same-node', /node1/],
  ] as const)('names %s', async (_what, words, id, text) => {
    const refusal = await migrate(...words);
    expect(refusal).toMatchObject({ exit: REFUSED, code: 'migration-refused', blockers: [id], text: expect.stringMatching(text) });
    expectNothingChanged();
  });

  it.each([
    ['a vmid that is none', ['abc', 'node2']],
    ['an option that does not exist', [String(VMID), 'node2', '--fast']],
    ['a limit that is no number', [String(VMID), 'node2', '--bwlimit', 'much']],
    ['an end of a hold without a hold', [String(VMID), 'node2', '--until', '+5m']],
  ] as const)('takes %s as wrong usage', async (_what, words) => {
    expect(await migrate(...words)).toMatchObject({ exit: USAGE, code: 'bad-input' });
    expectNothingChanged();
  });

  it('names all that the target lacks at once, each with a remedy', async () => {
    const claims = { qemu: '6.2.0', kedgeProtocol: '0', memoryAvailable: '1', bridges: '[]' };
    for (const [key, value] of Object.entries(claims)) await breakUntilHealed('node2', { kind: 'claim', key, value });
    await cordon('node2');
    const refusal = await migrate(String(VMID), 'node2');
    expect(refusal).toMatchObject({ exit: REFUSED, code: 'migration-refused' });
    expect(refusal.blockers).toEqual(expect.arrayContaining(['target-cordoned', 'qemu-older', 'kedge-protocol', 'memory-short', 'bridge-missing']));
    expectNothingChanged();
  });

  it('names a storage that only claims to be shared', async () => {
    const file = world.inside('node2', '/etc/kedge/storage.cfg');
    mkdirSync(world.inside('node2', '/var/lib/kedge/other'), { recursive: true });
    edit(file, (text) => text.replace('/mnt/shared', '/var/lib/kedge/other'));
    expect(await migrate(String(VMID), 'node2')).toMatchObject({ exit: REFUSED, blockers: ['storage-not-shared'] });
    edit(file, (text) => text.replace(/dir: shared\n(?:\t.*\n)*/, ''));
    expect(await migrate(String(VMID), 'node2')).toMatchObject({ exit: REFUSED, blockers: ['storage-missing'] });
    expectNothingChanged();
  });

  it('names certificates that QEMU would not accept', async () => {
    const pki = world.inside('node2', '/etc/kedge/pki');
    edit(join(pki, 'server-cert.pem'), () => readFileSync(world.inside('node3', '/etc/kedge/pki/server-cert.pem'), 'utf8'));
    expect(await migrate(String(VMID), 'node2')).toMatchObject({ exit: REFUSED, blockers: ['certificate'], text: expect.stringContaining('does not belong') });
    renameSync(join(pki, 'server-key.pem'), join(pki, 'hidden'));
    undo.push(() => renameSync(join(pki, 'hidden'), join(pki, 'server-key.pem')));
    expect(await migrate(String(VMID), 'node2')).toMatchObject({
      exit: REFUSED,
      blockers: ['certificate'],
      text: expect.stringContaining('has no server-key.pem'),
    });
    expectNothingChanged();
  });

  it('names a peer whose host key is not the pinned one', async () => {
    const file = world.inside('node1', '/etc/kedge/ssh/known_hosts');
    const keys = readFileSync(file, 'utf8').match(/ssh-ed25519 \S+/g) ?? [];
    const [, second = '', third = ''] = keys;
    edit(file, (text) => text.replaceAll(second, 'SECOND').replaceAll(third, second).replaceAll('SECOND', third));
    // Channels that are open were checked with the right key: only a new worker opens new ones.
    await world.restartWorker('node1');
    undo.push(() => world.restartWorker('node1'));
    const refusal = await migrate(String(VMID), 'node2');
    expect(refusal).toMatchObject({ exit: REFUSED });
    expect(refusal.blockers).toContain('peer-untrusted');
    expectNothingChanged();
  });

  it('names a migration network that is cut in one direction only', async () => {
    await breakUntilHealed('node2', { kind: 'cut', network: 'migration', direction: 'in', peer: 'node1' });
    const refusal = await migrate(String(VMID), 'node2');
    expect(refusal).toMatchObject({ exit: REFUSED });
    expect(refusal.blockers).toContain('migration-network');
    expectNothingChanged();
  });

  it('names the lock in the config of the guest', async () => {
    edit(world.inside('node1', `/etc/kedge/qemu-server/${VMID}.conf`), (text) => `${text}lock: backup\n`);
    expect(await migrate(String(VMID), 'node2')).toMatchObject({ exit: REFUSED, blockers: ['guest-locked'], text: expect.stringContaining('backup') });
  });

  it('names the migration that is under way', async () => {
    const ref = await world.migrate(VMID, 'node2', { hold: true });
    const { story } = await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    const refusal = await migrate(String(VMID), 'node3');
    expect(refusal).toMatchObject({ exit: REFUSED, code: 'already-migrating', text: expect.stringContaining(story?.id ?? 'no id') });
    await world.kedge.cancelMigration(ref);
    await world.ended(ref);
    expect(await world.leftovers()).toEqual([]);
  });

  it('names a target without power', async () => {
    await world.break('node3', { kind: 'power-off' });
    expect(await migrate(String(VMID), 'node3')).toMatchObject({ exit: REFUSED, blockers: expect.arrayContaining(['target-silent']) });
  });

  it('names a guest that is off', async () => {
    expect(await world.cli('guest', 'stop', String(VMID))).toMatchObject({ code: 0 });
    before = fingerprint();
    expect(await migrate(String(VMID), 'node2', '--online')).toMatchObject({ exit: REFUSED, blockers: ['guest-off'] });
    expectNothingChanged();
  });

  async function migrate(...words: readonly string[]): Promise<Refusal> {
    const { code, stdout, stderr } = await world.cli('migrate', ...words, '--json');
    const last = stdout.trim().split('\n').at(-1) ?? '';
    const { error } = endSchema.parse(JSON.parse(last));
    const blockers = error.findings.filter(({ severity }) => severity === 'blocker');
    expect(
      blockers.filter(({ remedy }) => remedy === ''),
      'blockers without a remedy',
    ).toEqual([]);
    return { exit: code, code: error.code, blockers: blockers.map(({ id }) => id), text: last + stderr };
  }

  async function breakUntilHealed(node: string, wish: Wish): Promise<void> {
    await world.break(node, wish);
    undo.push(() => world.heal(node));
  }

  async function cordon(node: string): Promise<void> {
    expect(await world.cli('node', 'cordon', node)).toMatchObject({ code: 0 });
    undo.push(async () => {
      expect(await world.cli('node', 'uncordon', node)).toMatchObject({ code: 0 });
    });
  }

  function edit(file: string, change: (text: string) => string): void {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, change(text));
    expect(readFileSync(file, 'utf8')).not.toBe(text);
    undo.push(() => writeFileSync(file, text));
  }

  /** Everything that a migration would change: records, guest configs and QEMU processes of all nodes with power. */
  function fingerprint(): string {
    const parts = ['node1', 'node2', 'node3'].flatMap((node) => {
      if (world.lab().machines.find(({ name }) => name === node)?.init === null) return [];
      const folders = ['/var/lib/kedge/records', '/etc/kedge/qemu-server', '/run/kedge/qemu'];
      return [`${node} ${String(world.qemuPid(node, VMID))}`, ...folders.flatMap((folder) => filesIn(world.inside(node, folder)))];
    });
    return parts.join('\n');
  }

  function expectNothingChanged(): void {
    expect(fingerprint()).toBe(before);
  }
});

/** Names and contents; sockets and folders by name. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .map((entry) => ({ path: join(entry.parentPath, entry.name), isFile: entry.isFile() }))
      .map(({ path, isFile }) => `${path} ${isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''}`)
      .sort();
  } catch {
    return [];
  }
}
