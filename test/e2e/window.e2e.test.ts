/** A maintenance window rolls over three real nodes: its schedule opens it, each node is emptied, patched, rebooted and given back. */
import { existsSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import { waitUntil } from '../../lab/processes.js';
import type { WindowView } from '../../src/client/window/window-verbs.js';
import { parseNodeName } from '../../src/domain/ids.js';
import { ArmedCrashes, CRASH_SEED } from '../support/armed-crashes.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { OfflineGuest } from '../support/offline-guest.js';

const ON_NODE1 = 191;
const ON_NODE2 = 192;
const NODES = ['node1', 'node2', 'node3'];
const MINUTE = 60_000;

describe(`a maintenance window (seed ${CRASH_SEED})`, { timeout: 10 * MINUTE }, () => {
  let world: LabWorld;
  let samplers: readonly RunnerSampler[] = [];

  beforeAll(async () => {
    // With a power supply: it is what resets a node.
    world = await openLabWorld({ name: 'window', nodes: 3, fencing: true });
    await world.createWitness({ vmid: ON_NODE1 }, 'node1');
    await world.createWitness({ vmid: ON_NODE2 }, 'node2');
    samplers = [ON_NODE1, ON_NODE2].map((vmid) => new RunnerSampler(vmid, () => world.lab()));
  });
  afterAll(async () => {
    for (const sampler of samplers) sampler.close();
    await world.close();
  });

  it('is opened by its schedule, patches and reboots one node after the other, and ends by itself, although the control worker dies at its steps', async () => {
    await Promise.all([world.booted(ON_NODE1), world.booted(ON_NODE2)]);
    const before = NODES.map(bootId);
    const start = nextMinute();
    const crashes = new ArmedCrashes(world);
    // All but the command itself: whether that was run when its worker died nobody can know, see the last test.
    crashes.arm(
      ['control'],
      ['control.schedule-window', 'control.open-window', 'control.plan-drain', 'control.cordon-node', 'control.examine-node', 'control.await-boot'],
    );
    const made = await world.cli('window', 'create', 'patch', ...at(start), '--nodes', 'all', '--check', 'test -s /etc/kedge/patched', ...patching('reboot'));
    expect(made, made.stderr).toMatchObject({ code: 0, stderr: '' });

    // The server is away now and then.
    const ended = async (): Promise<string | null> => (await shown('patch').catch(() => null))?.report?.end ?? null;
    await expect.poll(ended, { timeout: 8 * MINUTE, interval: 1_000 }).not.toBeNull();
    await crashes.allStruck();

    const { report } = await shown('patch');
    expect(report, JSON.stringify(report)).toMatchObject({ end: 'done', finished: NODES, opensAt: `${start}:00.000Z`, warning: null });
    expect(report?.outcomes.map(({ node, result, reason }) => [node, result, reason])).toEqual(NODES.map((node) => [node, 'done', null]));
    // Asked of the nodes themselves: each has done its work once, and has booted once.
    expect(NODES.map(patches)).toEqual([1, 1, 1]);
    expect(NODES.map(bootId).filter((id) => before.includes(id))).toEqual([]);
    for (const node of NODES) expect(await world.kedge.nodeStatus(parseNodeName(node))).toMatchObject({ cordoned: false });
    await expectHomeAndWhole();
  });

  it('is not begun on a node that does not get empty, keeps one whose work failed out of service, and tells both', async () => {
    await world.kedge.cordonNode(parseNodeName('node3'), true);
    await world.kedge.cordonNode(parseNodeName('node2'), true);
    const made = await world.cli(
      'window',
      'create',
      'fails',
      ...at(nextMinute()),
      '--nodes',
      'node1,node3',
      '--on-failure',
      'continue',
      '--command',
      'echo tried; exit 7',
    );
    expect(made, made.stderr).toMatchObject({ code: 0 });
    expect((await world.cli('window', 'run-now', 'fails')).code).toBe(0);
    await expect.poll(async () => (await shown('fails')).report?.end ?? null, { timeout: MINUTE, interval: 500 }).toBe('failed');
    const { report } = await shown('fails');
    expect(report?.outcomes.map(({ node, result }) => [node, result])).toEqual([
      ['node1', 'not-touched'],
      ['node3', 'failed'],
    ]);
    expect(report?.outcomes[1]).toMatchObject({ output: 'tried\n', reason: 'The command exited with 7; the node stays cordoned' });
    expect((await world.kedge.nodeStatus(parseNodeName('node1'))).cordoned).toBe(false);
    expect((await world.kedge.nodeStatus(parseNodeName('node3'))).cordoned).toBe(true);
    expect(await world.cli('window', 'delete', 'fails')).toMatchObject({ code: 0 });
    for (const node of ['node2', 'node3']) await world.kedge.cordonNode(parseNodeName(node), false);
    await expectHomeAndWhole();
  });

  it('asks when a command is lost with its worker, and never runs it again by itself', async () => {
    const before = patches('node3');
    const command = 'echo patched >>/etc/kedge/patched; sleep 300';
    expect(await world.cli('window', 'create', 'lost', ...at(nextMinute()), '--nodes', 'node3', '--command', command)).toMatchObject({ code: 0 });
    expect((await world.cli('window', 'run-now', 'lost')).code).toBe(0);
    await waitUntil('the command at work', () => patches('node3') === before + 1, { timeoutMs: MINUTE });
    await world.break('control', { kind: 'kill', target: 'control' });
    await expect
      .poll(async () => (await shown('lost')).upkeep[0]?.question ?? '', { timeout: 2 * MINUTE, interval: 1_000 })
      .toContain('Nobody knows how the command ended, or whether it runs');
    await delay(3_000);
    expect(patches('node3')).toBe(before + 1);
    expect(await world.cli('window', 'done', 'lost')).toMatchObject({ code: 0, stdout: 'node3 of window lost: done\n' });
    await expect.poll(async () => (await shown('lost')).report?.end ?? null, { timeout: MINUTE, interval: 500 }).toBe('done');
    expect(await world.leftovers()).toEqual([]);
  });

  /** The beginning of the next minute that is far enough away, UTC. */
  const nextMinute = (): string => new Date((Math.floor((Date.now() + 15_000) / MINUTE) + 1) * MINUTE).toISOString().slice(0, 16);
  const at = (start: string): string[] => ['--zone', 'UTC', '--start', start, '--duration', '30m'];
  const patching = (then: string): string[] => ['--reboot', `echo patched >>/etc/kedge/patched && ${then}`];
  /** How often a node was worked on, by its own disk; 0 while its power is off. */
  function patches(node: string): number {
    try {
      const file = world.inside(node, '/etc/kedge/patched');
      return existsSync(file) ? readFileSync(file, 'utf8').split('\n').length - 1 : 0;
    } catch {
      return 0;
    }
  }
  const bootId = (node: string): string => readFileSync(world.inside(node, '/run/kedge/boot-id'), 'utf8');

  const shown = (name: string): Promise<WindowView> => world.kedge.windows.show(name);

  async function expectHomeAndWhole(): Promise<void> {
    for (const [vmid, node] of [
      [ON_NODE1, 'node1'],
      [ON_NODE2, 'node2'],
    ] as const) {
      expect(new OfflineGuest(world, vmid).record(node)).toBe('owned');
      const verdict = await world.verdict(vmid);
      expect(verdict, `guest ${vmid}`).toMatchObject({ memoryIntact: true, diskIntact: true, doubleRunner: false, reasons: [] });
    }
    for (const sampler of samplers) expect(sampler.report()).toMatchObject({ doubles: [] });
    expect(await world.leftovers()).toEqual([]);
  }
});
