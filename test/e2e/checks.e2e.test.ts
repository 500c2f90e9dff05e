import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Wish } from '../../lab/faults/break-machine.js';
import { migrationCheckSchema } from '../../src/schema/migration-check.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';

const VMID = 106;
const OK = 0;
const REFUSED = 3;
const NODES = ['node1', 'node2', 'node3'];

const processSchema = z.object({ pid: z.number() });
/** What a check may not change; processes that come and go by themselves, such as sshd's, are left out. */
const statusSchema = z.object({
  breaks: z.array(z.unknown()),
  machines: z.array(
    z.object({
      name: z.string(),
      power: z.string(),
      init: processSchema.nullable(),
      bootId: z.string().nullable(),
      records: z.array(z.unknown()),
      components: z.record(z.string(), processSchema.nullable()),
      guests: z.array(z.object({ vmid: z.number(), process: processSchema })),
      containers: z.array(z.unknown()),
    }),
  ),
});

describe('a check', () => {
  let world: LabWorld;
  let undo: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'checks', nodes: 3 });
    await world.createWitness({ vmid: VMID }, 'node1');
  });
  afterAll(() => world.close());
  afterEach(async () => {
    for (const step of undo.reverse()) await step();
    undo = [];
  });

  it('finds nothing in the way of a guest that can move, and foresees what it costs', async () => {
    const { exit, answer } = await check(String(VMID));
    expect(exit).toBe(OK);
    expect(answer.source).toBe('node1');
    expect(answer.targets.map(({ target, possible, kind }) => [target, possible, kind])).toEqual([
      ['node2', true, 'live'],
      ['node3', true, 'live'],
    ]);
    const ref = await world.migrate(VMID, 'node2');
    const { story } = await world.ended(ref);
    expect(story).toMatchObject({ outcome: 'migrated', forecast: { kind: 'live' } });
    expect(story?.bytesSent).toBeLessThan(story?.forecast?.bytes.most ?? 0);
    const shown = await world.cli('migration', 'show', String(VMID));
    expect(shown.stdout).toMatch(/foreseen +takes .*; it was .* foreseen/);
    await world.ended(await world.migrate(VMID, 'node1'));
  });

  it('shows every blocker of one guest at once, and changes nothing', async () => {
    const claims = { qemu: '6.2.0', kedgeProtocol: '0', memoryAvailable: '1', bridges: '[]', cluster: 'other' };
    for (const [key, value] of Object.entries(claims)) await breakUntilHealed('node2', { kind: 'claim', key, value });
    await breakUntilHealed('node2', { kind: 'lose', network: 'migration', direction: 'out', peer: 'node1', percent: 5 });
    edit(world.inside('node2', '/etc/kedge/storage.cfg'), (text) => text.replace(/dir: shared\n(?:\t.*\n)*/, ''));
    edit(world.inside('node1', `/etc/kedge/qemu-server/${VMID}.conf`), (text) => `${text}lock: backup\nhostpci0: 0000:00:02.0\n`);
    await cordon('node2');
    const before = await everything();
    const dry = await world.cli('migrate', String(VMID), 'node2', '--dry-run', '--json');
    expect(dry.code).toBe(REFUSED);
    const [target] = migrationCheckSchema.parse(JSON.parse(dry.stdout)).targets;
    const blockers = new Set((target?.findings ?? []).filter((found) => found.severity === 'blocker').map(({ id }) => id));
    expect([...blockers].toSorted()).toEqual(
      [
        'target-cordoned',
        'qemu-older',
        'kedge-protocol',
        'memory-short',
        'bridge-missing',
        'other-cluster',
        'packet-loss',
        'storage-missing',
        'guest-locked',
        'local-device',
      ].toSorted(),
    );
    expect((target?.findings ?? []).filter(({ remedy }) => remedy === '')).toEqual([]);
    expect(await everything()).toEqual(before);
    expect(await world.leftovers()).toEqual([]);
    const table = await world.cli('check', String(VMID));
    expect(table.code).toBe(REFUSED);
    // The lock and the device are the guest's own: they keep it from every node.
    expect(table.stdout).toMatch(/node2 +refused +1[0-9][^]*node3 +refused +2 /);
  });

  it.each([
    [
      'a network that is down from the source',
      { kind: 'cut', network: 'migration', direction: 'in', peer: 'node1' },
      'migration-network',
      /from node1 to node2/,
    ],
    [
      'a network that is down to the source',
      { kind: 'cut', network: 'migration', direction: 'out', peer: 'node1' },
      'migration-network',
      /from node2 to node1/,
    ],
    [
      'a network that loses 5 % on the way there',
      { kind: 'lose', network: 'migration', direction: 'in', peer: 'node1', percent: 5 },
      'packet-loss',
      /from node1 to node2/,
    ],
    [
      'a network that loses 5 % on the way back',
      { kind: 'lose', network: 'migration', direction: 'out', peer: 'node1', percent: 5 },
      'packet-loss',
      /from node2 to node1/,
    ],
    ['a node of another cluster', { kind: 'claim', key: 'cluster', value: 'other' }, 'other-cluster', /other/],
    ['an older QEMU', { kind: 'claim', key: 'qemu', value: '6.2.0' }, 'qemu-older', /6\.2\.0/],
    ['an older Kedge', { kind: 'claim', key: 'kedgeProtocol', value: '0' }, 'kedge-protocol', /0/],
  ] as const)('refuses %s by its own id, and does so in a migration, too', async (_what, wish, id, text) => {
    await breakUntilHealed('node2', wish);
    const { exit, answer } = await check(String(VMID), 'node2');
    const blockers = (answer.targets[0]?.findings ?? []).filter(({ severity }) => severity === 'blocker');
    expect([...new Set(blockers.map((found) => found.id))]).toEqual([id]);
    expect(blockers.map((found) => found.text).join('\n')).toMatch(text);
    expect(exit).toBe(REFUSED);
    const refused = await world.cli('migrate', String(VMID), 'node2');
    expect(refused).toMatchObject({ code: REFUSED, stderr: expect.stringContaining(id) });
  });

  it.each([
    ['a local device', (text: string) => `${text}hostpci0: 0000:00:02.0\n`, 'local-device'],
    ['a local disk', (text: string) => text.replace(/^(virtio0|scsi0): shared:/m, '$1: local:'), 'storage-not-shared'],
  ] as const)('refuses %s by its own id', async (_what, change, id) => {
    edit(world.inside('node1', `/etc/kedge/qemu-server/${VMID}.conf`), change);
    const images = world.inside('node1', `/var/lib/kedge/images/images/${VMID}`);
    mkdirSync(images, { recursive: true });
    writeFileSync(join(images, `vm-${VMID}-disk-0.raw`), '');
    undo.push(() => rmSync(images, { recursive: true, force: true }));
    const { answer } = await check(String(VMID), 'node2');
    expect((answer.targets[0]?.findings ?? []).filter(({ severity }) => severity === 'blocker').map((found) => found.id)).toEqual([id]);
  });

  it('refuses nothing on a network that is fine, ten times', async () => {
    for (let time = 0; time < 10; time += 1) {
      const { answer } = await check(String(VMID), 'node3');
      expect((answer.targets[0]?.findings ?? []).filter((found) => found.severity === 'blocker' || /^(?:link|packet|path)-/.test(found.id))).toEqual([]);
    }
  });

  it('finds the migration that is under way', async () => {
    const ref = await world.migrate(VMID, 'node2', { hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    const { answer } = await check(String(VMID), 'node3');
    expect((answer.targets[0]?.findings ?? []).filter(({ severity }) => severity === 'blocker').map((found) => found.id)).toContain('guest-migrating');
    await world.kedge.cancelMigration(ref);
    await world.ended(ref);
  });

  async function check(...words: readonly string[]): Promise<{ exit: number | null; answer: z.output<typeof migrationCheckSchema> }> {
    const { code, stdout, stderr } = await world.cli('check', ...words, '--json');
    expect(stderr).toBe('');
    return { exit: code, answer: migrationCheckSchema.parse(JSON.parse(stdout)) };
  }

  async function breakUntilHealed(node: string, wish: Wish): Promise<void> {
    await world.break(node, wish);
    undo.push(() => world.heal(node));
  }

  async function cordon(node: string): Promise<void> {
    expect(await world.cli('node', 'cordon', node)).toMatchObject({ code: OK });
    undo.push(async () => {
      expect(await world.cli('node', 'uncordon', node)).toMatchObject({ code: OK });
    });
  }

  function edit(file: string, change: (text: string) => string): void {
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, change(text));
    expect(readFileSync(file, 'utf8')).not.toBe(text);
    undo.push(() => writeFileSync(file, text));
  }

  /** Records, journals, configs and disks of all nodes, and what the lab says of its processes. */
  async function everything(): Promise<unknown> {
    const { stdout } = await world.cli('lab', 'status', '--json');
    const folders = ['/var/lib/kedge/records', '/var/lib/kedge/journal', '/var/lib/kedge/images', '/etc/kedge', '/run/kedge/qemu'];
    const files = NODES.flatMap((node) => folders.flatMap((folder) => filesIn(world.inside(node, folder))));
    return { files, status: statusSchema.parse(JSON.parse(stdout)) };
  }
});

function filesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .map((entry) => ({ path: join(entry.parentPath, entry.name), isFile: entry.isFile() }))
      .map(({ path, isFile }) => `${path} ${isFile ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''}`)
      .sort();
  } catch {
    return [];
  }
}
