import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runFake, type FakeCli } from '../../fake-cluster.js';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-blackout-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const list = async (blackouts: string, ...more: readonly string[]): Promise<FakeCli> => {
  const file = join(folder, 'kedge.yaml');
  await writeFile(file, `cluster: lab\nnodes:\n  node1: { address: 10.0.0.1 }\n${blackouts}`);
  return runFake(['--config', file, 'blackout', 'list', ...more]);
};

const ALWAYS = 'blackouts:\n  - { name: always, zone: UTC, start: 2020-01-01T00:00, rule: FREQ=DAILY, duration: 24h }\n';
const LATER = 'blackouts:\n  - { name: later, zone: Europe/Berlin, start: 2099-06-02T22:00, duration: 2h, nodes: [node1], guests: [101] }\n';

test('blackouts are listed with what they concern, whether they are on, and their next times', async () => {
  const later = await list(LATER);
  expect(later).toMatchObject({ exitCode: 0, err: '' });
  expect(later.out).toMatch(/later +off +node1 +101/);
  expect(later.out).toContain('2099-06-02T20:00:00.000Z to 2099-06-02T22:00:00.000Z');
  expect((await list(ALWAYS)).out).toMatch(/always +on until .* +all +all/);
});

test('with --json each blackout has its end, if it is on, and ten occurrences', async () => {
  const always: unknown = JSON.parse((await list(ALWAYS, '--json')).out);
  expect(always).toMatchObject([{ name: 'always', onUntil: expect.stringMatching(/Z$/), nodes: null, guests: null }]);
  expect(always).toHaveProperty('[0].next.length', 10);
  expect(JSON.parse((await list(LATER, '--json')).out)).toMatchObject([{ onUntil: null, next: [{ opensAt: '2099-06-02T20:00:00.000Z' }] }]);
});

test('a cluster without blackouts has none', async () => {
  expect(await list('')).toMatchObject({ exitCode: 0, out: 'No blackouts\n' });
});

const ONE = 'name: freeze, zone: Europe/Berlin, start: 2026-12-01T22:00, duration: 1h';
test.for([
  ['blackouts.0.rule', ONE.concat(', rule: every tuesday')],
  ['blackouts.0.start', 'name: freeze, zone: Europe/Berlin, start: 2026-03-29T02:30, duration: 1h'],
  ['blackouts.0.zone', 'name: freeze, zone: Mars/Olympus, start: 2026-12-01T22:00, duration: 1h'],
  ['blackouts.0.duration', 'name: freeze, zone: UTC, start: 2026-12-01T22:00, duration: 10s'],
  ['blackouts.0.nodes.0', ONE.concat(', nodes: [node9]')],
  ['blackouts.0.guests.0', ONE.concat(', guests: [5]')],
  ['blackouts.0.reboot', ONE.concat(', reboot: please')],
  ['blackouts.1.name', `${ONE} }\n  - { ${ONE}`],
] as const)('a wrong %s is refused by its name and line', async ([field, fields]) => {
  const refused = await list(`blackouts:\n  - { ${fields} }\n`);
  expect(refused).toMatchObject({ exitCode: 2, out: '' });
  expect(refused.err).toContain(`${field}:`);
  expect(refused.err).toMatch(/kedge\.yaml:[56]:/);
});
