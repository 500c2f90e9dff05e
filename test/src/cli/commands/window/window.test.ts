import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { WindowChange } from '../../../../../src/client/window/change-window.js';
import type { WindowView, WindowVerbs } from '../../../../../src/client/window/window-verbs.js';
import { parseNodeName, type NodeName } from '../../../../../src/domain/ids.js';
import type { Blackout } from '../../../../../src/domain/window/blackout.js';
import type { Occurrence, UpkeepProgress, WindowDefinition } from '../../../../../src/domain/window/window.js';
import { parseWindowFile } from '../../../../../src/schema/window-file.js';
import { runFake } from '../../fake-cluster.js';

const node1 = parseNodeName('node1');
const node2 = parseNodeName('node2');
const FIELDS = { zone: 'Europe/Berlin', start: '2099-06-02T22:00', rule: 'FREQ=WEEKLY;BYDAY=TU', duration: '4h', nodes: 'all', command: 'true' };
const FLAGS = ['--zone', 'Europe/Berlin', '--start', '2099-06-02T22:00', '--rule', 'FREQ=WEEKLY;BYDAY=TU', '--duration', '4h', '--nodes', 'all'];

const view = (changes: Partial<WindowView> = {}, fields: Record<string, unknown> = {}): WindowView => ({
  definition: parseWindowFile({ name: 'patch', ...FIELDS, ...fields }),
  skipped: [],
  paused: false,
  report: null,
  running: null,
  upkeep: [],
  ...changes,
});
const waits = (node: typeof node1): UpkeepProgress => ({ window: 'patch', node, phase: 'waiting-for-operator', question: 'swap the disk' });

/** Runs a command line over windows of which only what is given answers. */
const run = (argv: readonly string[], windows: Partial<WindowVerbs>, blackouts: readonly Blackout[] = []) => {
  const refuse = () => Promise.reject(new Error('The test does not expect this'));
  const base: WindowVerbs = {
    create: refuse,
    list: () => Promise.resolve([]),
    show: refuse,
    change: refuse,
    pause: refuse,
    runNow: refuse,
    cancel: refuse,
    waiting: refuse,
    answer: refuse,
    remove: refuse,
  };
  return runFake(['window', ...argv], { cluster: { nodes: [node1, node2], blackouts, windows: { ...base, ...windows } } });
};

describe('kedge window create', () => {
  const creating = (): { made: { definition: WindowDefinition; occurrences: readonly Occurrence[] }[]; create: WindowVerbs['create'] } => {
    const made: { definition: WindowDefinition; occurrences: readonly Occurrence[] }[] = [];
    return { made, create: (window) => Promise.resolve(void made.push(window)) };
  };

  test('makes a schedule of the next sixty instants out of zone and rule, across the changes of the clocks', async () => {
    const { made, create } = creating();
    expect(await run(['create', 'patch', ...FLAGS, '--command', 'apt-get -y upgrade'], { create })).toMatchObject({
      exitCode: 0,
      err: '',
      out: 'Window patch is made\n',
    });
    expect(made[0]?.definition).toMatchObject({
      nodes: null,
      atOnce: 1,
      restore: true,
      work: { kind: 'command', command: 'apt-get -y upgrade', repeatable: false },
    });
    const opens = made[0]?.occurrences.map(({ opensAt }) => opensAt.slice(5, 16)) ?? [];
    expect([opens.length, opens[0], opens.find((at) => at.startsWith('11-'))]).toEqual([60, '06-02T20:00', '11-03T21:00']);
  });

  test('refuses what it can not do, by field, value and remedy, and makes nothing', async () => {
    const { made, create } = creating();
    const refused = async (...flags: readonly string[]): Promise<[number, string]> => {
      const { exitCode, err } = await run(['create', 'patch', ...flags], { create });
      return [exitCode, err];
    };
    for (const [flags, what] of [
      [[...FLAGS, '--command', 'a', '--human', 'b'], /command.*must be the one of command, reboot and human/],
      [[...FLAGS, '--command', 'a', '--zone', 'Mars/Olympus'], /zone.*"Mars\/Olympus".*IANA name/],
      [[...FLAGS, '--command', 'a', '--rule', 'FREQ=SOMETIMES'], /rule.*"FREQ=SOMETIMES".*must be an RRULE/],
      [[...FLAGS, '--command', 'a', '--start', '2099-03-29T02:30'], /start.*the clocks of Europe\/Berlin.*skip/],
      [[...FLAGS, '--command', 'a', '--duration', '10s'], /duration.*from 1m to 7d/],
      [[...FLAGS, '--command', 'a', '--nodes', 'node1,node9'], /nodes.*"node9".*node1, node2/],
      [[...FLAGS, '--command', 'a\nb'], /command.*one line/],
      [[...FLAGS, '--command', 'a', '--missed', '0s'], /missed.*"0s".*at least 1m/],
      [[...FLAGS, '--command', 'a', '--once'], /--once and --rule exclude each other/],
      [[...FLAGS.filter((flag) => !/rule|RRULE|FREQ/.test(flag)), '--command', 'a', '--start', '2025-12-01T22:00'], /start.*"2025-12-01T22:00".*from now on/],
      [[...FLAGS, '--command', 'a', '--start', '2025-12-01T22:00', '--rule', 'FREQ=DAILY;COUNT=2'], /rule.*"FREQ=DAILY;COUNT=2".*from now on/],
    ] as const) {
      const [exitCode, err] = await refused(...flags);
      expect([exitCode, err], flags.join(' ')).toEqual([2, expect.stringMatching(what)]);
    }
    expect(made).toEqual([]);
  });

  test('tells what is wrong with a window before it asks the cluster, which may be away', async () => {
    expect(await run(['create', 'patch', ...FLAGS, '--command', 'a', '--zone', 'Mars/Olympus'], {})).toMatchObject({ exitCode: 2, closed: false });
  });

  test('warns of another window on the same nodes at the same time', async () => {
    const { create } = creating();
    const other = view({}, { name: 'disks', nodes: ['node2'] });
    const { err, exitCode } = await run(['create', 'patch', ...FLAGS, '--command', 'a'], { create, list: () => Promise.resolve([other]) });
    expect([exitCode, err]).toEqual([0, expect.stringContaining('Warning: window disks is open on some of the same nodes at 2099-06-02T20:00')]);
  });

  test('warns of a blackout in which one of its occurrences lies, on the same nodes', async () => {
    const { made, create } = creating();
    const freeze: Blackout = { name: 'freeze', zone: 'UTC', start: '2099-06-09T23:00', rule: null, durationMs: 3_600_000, nodes: [node2], guests: null };
    const warned = (blackout: Blackout, ...flags: readonly string[]) => run(['create', 'patch', ...FLAGS, '--command', 'a', ...flags], { create }, [blackout]);
    expect((await warned(freeze)).err).toContain('Warning: blackout freeze is on from 2099-06-09T23:00:00.000Z to 2099-06-10T00:00:00.000Z');
    expect((await warned({ ...freeze, start: '2099-06-10T23:00' })).err).toBe('');
    expect((await warned(freeze, '--nodes', 'node1')).err).toBe('');
    expect(made).toHaveLength(3);
  });
});

describe('kedge window edit', () => {
  const editing = (before: WindowView) => {
    const changes: WindowChange[] = [];
    const change: WindowVerbs['change'] = (_, make) => {
      const next = make(before.definition, { file: {}, skipped: ['2099-06-02T20:00:00.000Z'], revision: '1' });
      changes.push(next);
      return Promise.resolve(next);
    };
    return { changes, change };
  };

  test('keeps what is not named, and takes another kind of work in the place of the old one', async () => {
    const before = view();
    const { changes, change } = editing(before);
    expect(await run(['edit', 'patch', '--human', 'swap the disk', '--duration', '6h'], { change })).toMatchObject({ exitCode: 0 });
    expect(changes[0]?.definition).toEqual({ ...before.definition, durationMs: 6 * 3_600_000, work: { kind: 'human', note: 'swap the disk' } });
    expect([changes[0]?.skipped, changes[0]?.occurrences[0]?.opensAt]).toEqual([['2099-06-02T20:00:00.000Z'], '2099-06-09T20:00:00.000Z']);
  });

  test('changes the window as it is when it is written, so that what another has changed meanwhile stays', async () => {
    const { changes, change } = editing(view({}, { atOnce: 2 }));
    const show = () => Promise.resolve(view());
    await run(['edit', 'patch', '--duration', '6h'], { change, show });
    expect(changes[0]?.definition).toMatchObject({ atOnce: 2, durationMs: 6 * 3_600_000 });
  });

  test('takes away a rule, a check, and that the command may run twice', async () => {
    const { changes, change } = editing(view({}, { check: 'true', repeatable: true }));
    expect(await run(['edit', 'patch', '--once', '--no-check', '--no-repeatable'], { change })).toMatchObject({ exitCode: 0, err: '' });
    expect(changes[0]?.definition).toMatchObject({ rule: null, healthCheck: null, work: { repeatable: false } });
    await run(['edit', 'patch', '--check-timeout', '9m'], { change });
    expect(changes[1]?.definition).toMatchObject({ rule: 'FREQ=WEEKLY;BYDAY=TU', healthCheck: { timeoutMs: 540_000 }, work: { repeatable: true } });
  });

  test('takes a file for the whole window', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'kedge-window-'));
    const file = join(folder, 'patch.yaml');
    writeFileSync(file, 'name: patch\nzone: UTC\nstart: 2099-01-01T00:00\nduration: 1h\nnodes: all\ncommand: "true"\n');
    const { changes, change } = editing(view({}, { check: 'true', repeatable: true, atOnce: 2 }));
    expect(await run(['edit', 'patch', '--file', file], { change })).toMatchObject({ exitCode: 0 });
    rmSync(folder, { recursive: true });
    expect(changes[0]?.definition).toMatchObject({ zone: 'UTC', rule: null, healthCheck: null, atOnce: 1, work: { repeatable: false } });
  });
});

test('kedge window skip-next leaves out one occurrence more each time', async () => {
  const skipped: string[][] = [];
  const change: WindowVerbs['change'] = (_, make) => {
    const next = make(view().definition, { file: {}, skipped: skipped.at(-1) ?? [], revision: '1' });
    skipped.push([...next.skipped]);
    return Promise.resolve(next);
  };
  await run(['skip-next', 'patch'], { change });
  await run(['skip-next', 'patch'], { change });
  expect(skipped.at(-1)).toEqual(['2099-06-02T20:00:00.000Z', '2099-06-09T20:00:00.000Z']);
});

test('kedge window skip-next finds the next occurrence of a window that is longer than several of its periods', async () => {
  const skipped: (readonly string[])[] = [];
  const change: WindowVerbs['change'] = (_, make) => {
    const { definition } = view({}, { zone: 'UTC', start: '2026-02-28T00:00', rule: 'FREQ=HOURLY', duration: '4h' });
    const next = make(definition, { file: {}, skipped: [], revision: '1' });
    skipped.push(next.skipped);
    return Promise.resolve(next);
  };
  expect(await run(['skip-next', 'patch'], { change })).toMatchObject({ exitCode: 0, err: '' });
  expect(skipped).toEqual([['2026-03-01T13:00:00.000Z']]);
});

test('kedge window show tells what it does, state, nodes at work, outcomes, warnings and the next ten occurrences in both times', async () => {
  const shown = view(
    {
      upkeep: [waits(node1)],
      running: { workflowId: 'maintenance-patch-2099', runId: 'r' },
      skipped: ['2099-06-09T20:00:00.000Z'],
      report: {
        window: 'patch',
        opensAt: '2099-06-02T20:00:00.000Z',
        closesAt: '2099-06-03T00:00:00.000Z',
        end: null,
        outcomes: [{ node: node2, result: 'failed', reason: 'The command exited with 7', output: 'Unpacking\n\u001b[31mno space\n' }],
        atWork: [node1],
        finished: [],
        warning: 'The next occurrences could not be scheduled: no answer',
      },
    },
    { command: 'apt-get -y upgrade', repeatable: true, check: 'systemctl is-system-running' },
  );
  const { out } = await run(['show', 'patch'], { show: () => Promise.resolve(shown) });
  expect(out).toMatch(/patch +open +all +command +2099-06-02T20:00:00.000Z/);
  expect(out).toContain('Opens: FREQ=WEEKLY;BYDAY=TU, from 2099-06-02T22:00 on; for 4 h');
  expect(out).toMatch(/Work: apt-get -y upgrade .*may run twice/);
  expect(out).toContain('Check: systemctl is-system-running');
  expect(out).toContain('Warning: The next occurrences could not be scheduled: no answer');
  expect(out).toContain('node1: waiting-for-operator: swap the disk');
  expect(out).toContain('node2: failed: The command exited with 7\n    Unpacking\n    ?[31mno space\n');
  expect(out).toContain('Left out: Tue 2099-06-09 22:00');
  expect(out).toContain('  Tue 2099-06-02 22:00  2099-06-02T20:00:00.000Z to ');
  expect(out.match(/ to 2099/g)).toHaveLength(10);
});

test('kedge window list shows a window that can not be read beside the others, which can still be made', async () => {
  const list = () => Promise.resolve([{ name: 'odd', problem: 'Cannot read zone' }, view()]);
  const { out } = await run(['list'], { list });
  expect(out).toMatch(/odd +unreadable +- .*\npatch +waiting[^]*odd: Cannot read zone/);
  expect(await run(['create', 'new', ...FLAGS, '--command', 'a'], { list, create: () => Promise.resolve() })).toMatchObject({ exitCode: 0 });
  expect(await run(['delete', 'odd'], { remove: () => Promise.resolve() })).toMatchObject({ exitCode: 0 });
});

describe('kedge window done', () => {
  const answering = (...waiting: readonly NodeName[]) => {
    const given: unknown[] = [];
    const answer: WindowVerbs['answer'] = (name, words) => Promise.resolve(void given.push([name, words]));
    return { given, windows: { answer, waiting: () => Promise.resolve(waiting) } };
  };

  test('answers for the one node that waits', async () => {
    const { given, windows } = answering(node1);
    expect(await run(['done', 'patch', '--failed'], windows)).toMatchObject({ exitCode: 0, out: 'node1 of window patch: failed\n' });
    expect(given).toEqual([['patch', { node: node1, answer: 'failed' }]]);
  });

  test('wants the node named when several wait, and says when none does', async () => {
    const { given, windows } = answering(node1, node2);
    const { exitCode, err } = await run(['done', 'patch'], windows);
    expect([exitCode === 0, err]).toEqual([false, expect.stringContaining('name one of node1, node2 with --node')]);
    expect((await run(['done', 'patch'], answering().windows)).err).toContain('no node waits');
    expect((await run(['done', 'patch', '--failed', '--again'], windows)).exitCode).toBe(2);
    expect(given).toEqual([]);
  });

  test('answers for a node that is named without asking anything else', async () => {
    const { given, windows } = answering();
    const { exitCode } = await run(['done', 'gone', '--node', 'node2'], { ...windows, waiting: () => Promise.reject(new Error('Not to be asked')) });
    expect([exitCode, given]).toEqual([0, [['gone', { node: node2, answer: 'done' }]]]);
  });
});

test('kedge window delete says of a window that is open how to reach what goes on', async () => {
  const running = { workflowId: 'maintenance-patch-2099', runId: 'r' };
  const remove = () => Promise.resolve();
  const deleted = async (changes: Partial<WindowView>) => run(['delete', 'patch'], { remove, show: () => Promise.resolve(view(changes)) });
  expect((await deleted({ running })).err).toContain('it is open, as maintenance-patch-2099, and goes on');
  expect(await deleted({})).toMatchObject({ exitCode: 0, err: '' });
});
