/** What an operator rules a cluster with, on real guests: who is told, how many move at a time, when nobody moves, and who moves to even nodes out. */
import { spawn, type ChildProcess } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { insideCommand } from '../../lab/exec.js';
import { labFolder, repositoryFolder } from '../../lab/lab-folder.js';
import { machineOf } from '../../lab/lab-store.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { waitUntil } from '../../lab/processes.js';
import { openLabWorld, type CommandEnd, type LabWorld } from '../support/lab-world.js';
import { readWebhookCall, type WebhookCall } from '../support/webhook-call.js';

const GUESTS = [201, 202, 203] as const;
const NODES = ['node1', 'node2', 'node3'];
const MIB = 2 ** 20;
const SECRET = 'what the receiver knows';
const PORT = 8099;
/** Under way until it is cancelled. */
const HELD = { hold: true };

describe('a cluster of three nodes with three guests on one', { timeout: 240_000 }, () => {
  let world: LabWorld;
  let samplers: readonly RunnerSampler[] = [];
  const children: ChildProcess[] = [];

  beforeAll(async () => {
    world = await openLabWorld({ name: 'rules', nodes: 3 });
    for (const vmid of GUESTS) await world.createWitness({ vmid, dirtyRate: 2 * MIB, workingSet: 16 * MIB, disks: [32] }, 'node1');
    samplers = GUESTS.map((vmid) => new RunnerSampler(vmid, () => world.lab()));
    for (const vmid of GUESTS) await world.booted(vmid);
  });
  afterAll(async () => {
    for (const sampler of samplers) sampler.close();
    for (const child of children) child.kill('SIGKILL');
    await world.close();
  });

  it('tells a webhook, signed, and who follows events of a migration, although the control worker is killed in its middle', async () => {
    const calls = linesOf(machineProgram('control', [process.execPath, join(repositoryFolder(), 'test/support/webhook-receiver.mjs'), String(PORT)]));
    await waitUntil('the receiver', () => calls.length > 0, { timeoutMs: 20_000 });
    writeFileSync(world.inside('control', '/etc/kedge/pager'), SECRET, { mode: 0o600 });
    configure('control', `hooks:\n  pager: { type: webhook, url: 'http://127.0.0.1:${PORT}/', secretFile: /etc/kedge/pager }\n`);
    const test = await world.cli('hook', 'test', 'pager');
    expect(test, test.stderr).toMatchObject({ code: 0, stdout: 'Hook pager took it: 204 No Content\n' });
    const told = (): readonly WebhookCall[] => calls.slice(1).map((line) => readWebhookCall(line, SECRET));
    // Told is what happens since a control worker has first looked at the hook, or since this.
    await world.kedge.hooks.knownSince('pager');
    const followed = linesOf(cliProgram('event', 'list', '--follow', '--vmid', String(GUESTS[0]), '--json'));

    const ref = await world.migrate(GUESTS[0], 'node2', { bandwidthLimit: 64 * MIB });
    await world.watch(ref, 'its pre-copy', ({ phase }) => phase === 'pre-copy');
    await world.break('control', { kind: 'kill', target: 'control' });
    expect(await world.ended(ref)).toMatchObject({ status: 'completed' });

    const ofGuest = (): readonly string[] => told().flatMap(({ kind, vmid }) => (vmid === GUESTS[0] ? [kind] : []));
    await expect.poll(ofGuest, { timeout: 60_000 }).toEqual(expect.arrayContaining(['migration-started', 'migration-ended']));
    for (const call of told()) expect(call.signature, `call ${call.id}`).toBe(call.wanted);
    // Once: none of the calls was lost on its way here, and a receiver that answered is not called again.
    expect(ofGuest().toSorted()).toEqual(['migration-ended', 'migration-started']);
    const seen = (): readonly string[] => followed.map((line) => z.object({ id: z.string() }).parse(JSON.parse(line)).id);
    await expect.poll(seen, { timeout: 30_000 }).toEqual(expect.arrayContaining(told().flatMap(({ id, vmid }) => (vmid === GUESTS[0] ? [id] : []))));
    expect(new Set(seen()).size).toBe(seen().length);
    expect(placesOf(GUESTS[0])).toEqual(['node2']);
    expect(await world.ended(await world.migrate(GUESTS[0], 'node1'))).toMatchObject({ status: 'completed' });
  });

  it('lets as many move as its limits allow, also when the control worker is killed, and at once more when they are raised', async () => {
    expect((await world.cli('admission', 'set', '--node', 'node1', '--out', '1')).code).toBe(0);
    const first = await world.migrate(202, 'node2', HELD);
    await world.watch(first, 'its hold', ({ phase }) => phase === 'holding');
    const second = await world.migrate(203, 'node3', HELD);
    await world.watch(second, 'its wait', ({ phase }) => phase === 'admit');
    await world.break('control', { kind: 'kill', target: 'control' });
    await expect
      .poll(async () => waitingOf(await world.cli('admission', 'show', '--json')), { timeout: 60_000 })
      .toEqual([{ holder: 'migration-203', limits: ['out'] }]);
    // The target has nothing of it while it waits: no process that listens for its memory.
    expect([placesOf(202), placesOf(203)]).toEqual([['node1', 'node2'], ['node1']]);

    expect((await world.cli('admission', 'reset')).code).toBe(0);
    await world.watch(second, 'its hold', ({ phase }) => phase === 'holding');
    expect([placesOf(202), placesOf(203)]).toEqual([
      ['node1', 'node2'],
      ['node1', 'node3'],
    ]);
    for (const { vmid, ref } of [
      { vmid: 202, ref: first },
      { vmid: 203, ref: second },
    ]) {
      expect((await world.cli('migration', 'cancel', String(vmid))).code, `guest ${vmid}`).toBe(0);
      await world.ended(ref);
      expect(placesOf(vmid)).toEqual(['node1']);
    }
    expect(waitingOf(await world.cli('admission', 'show', '--json'))).toEqual([]);
  });

  it('moves nobody in a blackout, neither by a command nor by a drain, but who ignores it', async () => {
    const start = new Date(Date.now() - 60_000).toISOString().slice(0, 16);
    for (const machine of ['control', 'client'] as const)
      configure(machine, `blackouts:\n  - { name: month-end, zone: UTC, start: ${start}, duration: 2h, nodes: [node1] }\n`);
    const refused = await world.cli('migrate', '201', 'node2');
    expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('month-end')]);
    expect(placesOf(201)).toEqual(['node1']);

    expect((await world.cli('node', 'drain', 'node1', '--detach')).code).toBe(0);
    await expect.poll(async () => (await world.cli('node', 'status', 'node1')).stdout, { timeout: 60_000 }).toContain('month-end');
    expect((await world.cli('node', 'drain', '--cancel', 'node1')).code).toBe(0);
    await expect.poll(async () => (await world.cli('node', 'status', 'node1')).stdout, { timeout: 60_000 }).toContain('cancelled');
    for (const vmid of GUESTS) expect(placesOf(vmid)).toEqual(['node1']);
    expect((await world.cli('node', 'uncordon', 'node1')).code).toBe(0);

    const ignored = await world.cli('migrate', '201', 'node2', '--ignore-blackout');
    expect(ignored, ignored.stderr).toMatchObject({ code: 0 });
    expect(placesOf(201)).toEqual(['node2']);
    for (const machine of ['control', 'client'] as const) withoutBlackouts(machine);
    expect(await world.ended(await world.migrate(201, 'node1'))).toMatchObject({ status: 'completed' });
  });

  it('is evened out by a balance, one guest on each node, whose plan says so beforehand; a second one finds nothing to do', async () => {
    const plan = await world.cli('balance', '--plan', '--tolerance', '2', '--json');
    expect(plan, plan.stderr).toMatchObject({ code: 0 });
    expect(NODES.map((node) => GUESTS.filter((vmid) => placesOf(vmid).includes(node)).length)).toEqual([3, 0, 0]);
    const applied = await world.cli('balance', '--apply', '--tolerance', '2');
    expect(applied, applied.stderr).toMatchObject({ code: 0 });
    expect(NODES.map((node) => GUESTS.filter((vmid) => placesOf(vmid).join(',') === node).length)).toEqual([1, 1, 1]);
    const again = await world.cli('balance', '--apply', '--tolerance', '2');
    expect(again, again.stderr).toMatchObject({ code: 0, stdout: expect.stringContaining(': 0 moves') });
    for (const vmid of GUESTS)
      expect(await world.verdict(vmid), `guest ${vmid}`).toMatchObject({ diskIntact: true, doubleRunner: false, reasons: [], reboots: 0 });
    for (const sampler of samplers) expect(sampler.report()).toMatchObject({ doubles: [], unwatched: [] });
    expect(await world.leftovers()).toEqual([]);
  });

  /** Nodes with a process of the guest, from /proc. */
  const placesOf = (vmid: number): readonly string[] => NODES.filter((node) => world.qemuPid(node, vmid) !== null);

  /** Who reads it: the control workers, or the command line of this test. */
  const configFileOf = (reader: 'control' | 'client'): string =>
    reader === 'control' ? world.inside('control', '/etc/kedge/kedge.yaml') : labFolder(world.lab().name).configFile;
  const configure = (reader: 'control' | 'client', text: string): void => appendFileSync(configFileOf(reader), text);
  function withoutBlackouts(reader: 'control' | 'client'): void {
    const file = configFileOf(reader);
    writeFileSync(file, readFileSync(file, 'utf8').replace(/^blackouts:\n(?: .*\n)+/m, ''));
  }

  function machineProgram(machine: string, command: readonly string[]): ChildProcess {
    const [program, ...words] = insideCommand(machineOf(world.lab(), machine), command);
    return started(spawn(program, words, { stdio: ['ignore', 'pipe', 'inherit'] }));
  }

  function cliProgram(...words: readonly string[]): ChildProcess {
    const { name } = world.lab();
    const environment = { ...process.env, KEDGE_CONFIG: labFolder(name).configFile, KEDGE_LAB: name };
    return started(
      spawn(process.execPath, [join(repositoryFolder(), 'dist/src/cli/main.js'), ...words], { stdio: ['ignore', 'pipe', 'inherit'], env: environment }),
    );
  }

  function started(child: ChildProcess): ChildProcess {
    children.push(child);
    return child;
  }
});

/** The lines that a program has printed so far. */
function linesOf({ stdout }: ChildProcess): readonly string[] {
  const lines: string[] = [];
  if (stdout !== null) createInterface(stdout).on('line', (line) => lines.push(line));
  return lines;
}

/** Who waits for a slot, and which limits hold it back. */
function waitingOf({ stdout }: CommandEnd): readonly { readonly holder: string; readonly limits: readonly string[] }[] {
  const { waiting } = z
    .object({ waiting: z.array(z.object({ holder: z.string(), waitsFor: z.array(z.object({ limit: z.string() })) })) })
    .parse(JSON.parse(stdout));
  return waiting.map(({ holder, waitsFor }) => ({ holder, limits: waitsFor.map(({ limit }) => limit) }));
}
