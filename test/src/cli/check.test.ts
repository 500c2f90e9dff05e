import { describe, expect, test } from 'vitest';
import { finding, softened } from '../../../src/domain/checks.js';
import type { CheckMigrationInput, MigrationCheck, TargetCheck } from '../../../src/domain/migration-check.js';
import { parseNodeName } from '../../../src/domain/ids.js';
import { migrationCheckSchema } from '../../../src/schema/migration-check.js';
import { runFake } from './fake-cluster.js';
import { node1, node2, story, ended, vmid } from './stories.js';

const forecast = {
  kind: 'live',
  bytes: { least: 2 ** 20, most: 2 ** 21 },
  durationMs: { least: 600, most: 12_000 },
  downtimeMs: { least: 25, most: 300 },
  bytesPerSecond: 1e9,
} as const;
const good: TargetCheck = { target: node2, possible: true, kind: 'live', findings: [], forecast };
const bad: TargetCheck = {
  target: parseNodeName('node3'),
  possible: false,
  kind: 'live',
  findings: [finding('clock-skew', 'The clock of node3 is about 60 s ahead of that of node1'), finding('memory-short', 'Node node3 is full', 'Free some')],
  forecast,
};
const check = (...targets: readonly TargetCheck[]): MigrationCheck => ({ v: 1, vmid, source: node1, checkedAt: '2026-03-01T12:00:00Z', targets });

const answering = (answer: MigrationCheck, inputs: CheckMigrationInput[] = []) => ({
  cluster: {
    checkMigration: (input: CheckMigrationInput) => {
      inputs.push(input);
      return Promise.resolve(answer);
    },
  },
});

describe('kedge check', () => {
  test('shows all nodes side by side, then what was found of each, blockers first', async () => {
    const { out, err, exitCode } = await runFake(['check', '101'], answering(check(good, bad)));
    expect({ err, exitCode }).toEqual({ err: '', exitCode: 0 });
    expect(out).toMatch(/node2 +possible +0 +0 +live +600 ms to 12 s +25 ms to 300 ms +1.00 MiB to 2.00 MiB/);
    expect(out).toMatch(/node3 +refused +1 +1 +live/);
    expect(out.indexOf('memory-short')).toBeLessThan(out.indexOf('clock-skew'));
    expect(out).toContain('Free some');
  });

  test('exits with 3 when no node can take the guest', async () => {
    expect((await runFake(['check', '101', 'node3'], answering(check(bad)))).exitCode).toBe(3);
    expect((await runFake(['check', '101'], answering(check()))).exitCode).toBe(3);
    const warned = { ...bad, possible: true, findings: bad.findings.map(softened) };
    expect((await runFake(['check', '101', 'node3'], answering(check(warned)))).exitCode).toBe(0);
  });

  test('takes the options of a migration', async () => {
    const inputs: CheckMigrationInput[] = [];
    await runFake(['check', '101', 'node2', '--restart', '--targetstorage', 'fast', '--source', 'node1'], answering(check(good), inputs));
    expect(inputs).toEqual([
      { vmid: 101, target: 'node2', source: 'node1', options: { restart: true, targetStorage: 'fast' }, requestedBy: expect.stringContaining('@') },
    ]);
    expect((await runFake(['check', '101', '--until', '+5m'], answering(check(good)))).exitCode).toBe(2);
  });

  test('prints what docs/check.schema.json describes', async () => {
    const { out, exitCode } = await runFake(['check', '101', '--json'], answering(check(bad)));
    expect(exitCode).toBe(3);
    expect(migrationCheckSchema.parse(JSON.parse(out))).toEqual(check(bad));
  });
});

test('kedge migrate --dry-run checks and starts nothing', async () => {
  const inputs: CheckMigrationInput[] = [];
  const { out, exitCode } = await runFake(['migrate', '101', 'node3', '--dry-run'], answering(check(bad), inputs));
  expect(exitCode).toBe(3);
  expect(out).toContain('memory-short');
  expect(inputs).toMatchObject([{ vmid: 101, target: 'node3' }]);
});

describe('kedge migration show', () => {
  const shown = async (changes: Parameters<typeof story>[0]) =>
    (await runFake(['migration', 'show', '101'], { cluster: { showMigration: () => Promise.resolve({ ...ended(), story: story(changes) }) } })).out;

  test('compares what was foreseen with what happened', async () => {
    const out = await shown({ forecast });
    expect(out).toContain('foreseen  takes 600 ms to 12 s; it was 4.2 s, as foreseen');
    expect(out).toContain('stands still for 25 ms to 300 ms; it was 47 ms, as foreseen');
    expect(out).toContain('sends 1.00 MiB to 2.00 MiB; it was 563 MiB, more than foreseen');
  });

  test('compares nothing with a migration that is not over, or of which nothing was foreseen', async () => {
    const open = await shown({ forecast, outcome: null, endedAt: null, phase: 'pre-copy' });
    expect(open).toContain('takes 600 ms to 12 s\n');
    expect(await shown({})).not.toContain('foreseen');
  });

  test('does not judge how long an operator held it', async () => {
    const { options } = story();
    expect(await shown({ forecast, options: { ...options, hold: true } })).toContain('takes 600 ms to 12 s\n');
  });
});
