/** Containers that move: what rsync and the witness see on both sides. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { labStatus } from '../../lab/status.js';
import { waitUntil } from '../../lab/processes.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { MIGRATED, summaryOf } from '../support/summary-of.js';

const VMID = 124;
const otherThan = (node: string): string => (node === 'node1' ? 'node2' : 'node1');

describe('an unprivileged container with 5,000 files and one of each thing that a copy may lose', { timeout: 150_000 }, () => {
  let world: LabWorld;
  let home = 'node1';

  beforeAll(async () => {
    world = await openLabWorld({ name: 'offct', nodes: 2 });
    await world.createWitnessContainer({ vmid: VMID, unprivileged: true, files: 5_000, mountPoints: 1 }, home);
  });
  afterAll(() => world.close());

  it('is refused to move while it runs, with the reason', async () => {
    const end = await world.cli('migrate', String(VMID), otherThan(home), '--online');
    expect(end.code).not.toBe(0);
    expect(`${end.stdout}${end.stderr}`).toMatch(/container.*--restart/s);
    expect(await world.verdict(VMID)).toMatchObject({ ok: true, reboots: 0 });
  });

  it('that runs is stopped, moved and started there and back, with everything that it has written', async () => {
    for (let way = 1; way <= 2; way += 1) {
      await world.resetWitness(VMID);
      const end = await world.ended(await world.migrate(VMID, otherThan(home), { restart: true }));
      expect(summaryOf(end)).toEqual(MIGRATED);
      home = otherThan(home);
      await world.booted(VMID);
      expect(await world.verdict(VMID, { allowedReboots: 1 })).toMatchObject({ reasons: [], diskIntact: true, doubleRunner: false });
      expect(end.story?.downtimeMs).toBeGreaterThan(0);
      expect(await world.leftovers()).toEqual([]);
    }
  });

  it('that is off moves there and back, and rsync finds nothing to change between the sides', async () => {
    expect(await world.cli('guest', 'shutdown', String(VMID))).toMatchObject({ code: 0 });
    for (let way = 1; way <= 2; way += 1) {
      const ours = folders(home);
      const end = summaryOf(await world.ended(await world.migrate(VMID, otherThan(home), { keepSource: true })));
      expect({ ...end, warnings: [] }).toEqual(MIGRATED);
      home = otherThan(home);
      const theirs = folders(home);
      expect(theirs).toHaveLength(2);
      for (const [index, folder] of ours.entries()) expect(differences(folder, theirs[index] ?? '/nowhere')).toBe('');
    }
    expect(await world.leftovers()).toEqual([]);
  });

  it('that does not stop in time runs on, and is started again when it obeys later', async () => {
    expect(await world.cli('guest', 'start', String(VMID))).toMatchObject({ code: 0 });
    await world.booted(VMID);
    await world.resetWitness(VMID);
    const before = await freeze();
    const end = await world.ended(await world.migrate(VMID, otherThan(home), { restart: true, shutdownTimeoutMs: 1_500 }));
    expect([end.failure?.code, await init(home)]).toEqual(['shutdown-timeout', before]);
    expect(await world.leftovers()).toEqual([]);
    process.kill(before, 'SIGCONT');
    await waitUntil('its second start', async () => ![null, before].includes(await init(home)), { timeoutMs: 60_000 });
    await world.booted(VMID);
    expect((await world.verdict(VMID, { allowedReboots: 1 })).reasons).toEqual([]);
    expect(await world.leftovers()).toEqual([]);
  });

  it('that does not stop in time is stopped where that was asked for, and moves', async () => {
    await world.resetWitness(VMID);
    await freeze();
    const options = { restart: true, shutdownTimeoutMs: 1_500, onShutdownTimeout: 'stop' } as const;
    expect(summaryOf(await world.ended(await world.migrate(VMID, otherThan(home), options)))).toEqual(MIGRATED);
    expect(await init(home)).toBeNull();
    home = otherThan(home);
    await world.booted(VMID);
    expect((await world.verdict(VMID, { allowedReboots: 1 })).reasons).toEqual([]);
    expect(await world.leftovers()).toEqual([]);
  });

  /** Stops its init, so that it does not obey; answers the process id. */
  async function freeze(): Promise<number> {
    const pid = await init(home);
    if (pid === null) throw new Error(`Cannot freeze container ${VMID}: it is off`);
    process.kill(pid, 'SIGSTOP');
    return pid;
  }

  /** Process id of its init on a node, as the host counts; null: it is off there. */
  async function init(node: string): Promise<number | null> {
    const machine = (await labStatus(world.lab())).machines.find(({ name }) => name === node);
    return machine?.containers.find(({ vmid }) => vmid === VMID)?.init?.pid ?? null;
  }

  /** What rsync would change. By a copy of one side: rsync does not write below /proc/<pid>/root. */
  function differences(one: string, other: string): string {
    const copy = mkdtempSync(join(tmpdir(), 'kedge-side-'));
    const rsync = (from: string, ...options: readonly string[]): string =>
      execFileSync('rsync', ['-aHAXS', '--numeric-ids', ...options, `${from}/`, `${copy}/`], { encoding: 'utf8' });
    try {
      rsync(one);
      return rsync(other, '-n', '--checksum', '--itemize-changes', '--delete');
    } finally {
      rmSync(copy, { recursive: true });
    }
  }

  /** Its root file system and its mount point on a node, as the host reaches them, in the order of the config there. */
  function folders(node: string): readonly string[] {
    const config = readFileSync(world.inside(node, `/etc/kedge/lxc/${VMID}.conf`), 'utf8');
    return [...config.matchAll(/^(?:rootfs|mp\d+): local:([^,\s]+)/gm)].map((match) => world.inside(node, `/var/lib/kedge/images/images/${match[1] ?? ''}`));
  }
});
