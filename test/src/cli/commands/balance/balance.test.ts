import { describe, expect, test } from 'vitest';
import type { Cluster } from '../../../../../src/cli/cluster.js';
import type { BalanceClusterInput, BalanceReport, BalanceView } from '../../../../../src/domain/balance/balance.js';
import { parseNodeName, parseVmid } from '../../../../../src/domain/ids.js';
import { KedgeError } from '../../../../../src/domain/kedge-error.js';
import type { Plan } from '../../../../../src/domain/plan/plan.js';
import { parseClusterSnapshot } from '../../../../../src/schema/cluster-snapshot.js';
import { runFake } from '../../fake-cluster.js';

const GIB = 2 ** 30;
const [n1, n2] = [parseNodeName('node1'), parseNodeName('node2')];
const node = (name: string, more = {}) => ({ name, cores: 4, memoryBytes: 8 * GIB, storages: [{ id: 'shared', identity: 'one' }], ...more });
const snapshot = (nodes: readonly object[], guests: readonly object[]) => () => Promise.resolve(parseClusterSnapshot(JSON.stringify({ v: 1, nodes, guests })));
const UNEVEN = snapshot(
  [node('node1'), node('node2')],
  [
    { vmid: 101, node: 'node1', memoryBytes: 3 * GIB },
    { vmid: 102, node: 'node1', memoryBytes: 3 * GIB },
  ],
);
const REPORT: BalanceReport = {
  requestedBy: 'ann',
  startedAt: '2026-03-01T12:00:00Z',
  endedAt: '2026-03-01T12:01:00Z',
  end: 'done',
  nodes: [
    { node: n1, before: 0.75, now: 0.375 },
    { node: n2, before: 0, now: 0.375 },
  ],
  moved: [{ vmid: parseVmid(101), from: n1, to: n2, migration: '101-7' }],
  moving: [],
  failed: [],
  stayed: [],
};

const refuse = () => Promise.reject(new Error('The test does not expect this'));
const run = (argv: readonly string[], { balance = {}, ...cluster }: Omit<Partial<Cluster>, 'balance'> & { balance?: Partial<Cluster['balance']> } = {}) =>
  runFake(argv, {
    cluster: { ...cluster, balance: { start: refuse, read: refuse, cancel: refuse, ensureBalancer: refuse, readBalancer: refuse, ...balance } },
  });

describe('kedge balance', () => {
  test('--plan tells which guests would move and why, and changes nothing', async () => {
    const { out, exitCode } = await run(['balance', '--plan'], { takeSnapshot: UNEVEN });
    expect(out).toContain('node1 is 75 % full, node2 0 %');
    expect(exitCode).toBe(0);
    expect(JSON.parse((await run(['balance', '--plan', '--json'], { takeSnapshot: UNEVEN })).out)).toMatchObject({ moves: [{ vmid: 101, to: 'node2' }] });
  });

  test('--plan leaves alone what --apply would: nodes of migrations, what a blackout concerns, and moves that end too late', async () => {
    const plan = async (argv: readonly string[], more: Partial<Cluster> = {}) => {
      const { moves, unplanned }: Plan = JSON.parse((await run(['balance', '--plan', '--json', ...argv], { takeSnapshot: UNEVEN, ...more })).out);
      return { moves, unplanned };
    };
    const moves = [{ holder: 'migration-200', nodes: [parseNodeName('node3'), n2] }];
    expect((await plan([], { readMoves: () => Promise.resolve(moves) })).moves).toEqual([]);
    const freeze = { name: 'freeze', zone: 'UTC', start: '2020-01-01T00:00', rule: 'FREQ=DAILY', durationMs: 86_400_000, nodes: null, guests: null };
    expect((await plan([], { blackouts: [freeze] })).moves).toEqual([]);
    const late = { vmid: 101, outcome: 'wait', reason: expect.stringContaining('longer than until') };
    expect(await plan(['--until', '2026-03-01T12:00:11Z'])).toMatchObject({ moves: [], unplanned: [late, { ...late, vmid: 102 }] });
  });

  test('--apply starts it with what is typed, follows it, and shows its report', async () => {
    const inputs: BalanceClusterInput[] = [];
    const start = (input: BalanceClusterInput) => Promise.resolve(void inputs.push(input)).then(() => ({ firstRunId: 'run' }));
    const views: BalanceView[] = [
      { running: true, report: { ...REPORT, end: null, endedAt: null, moved: [], moving: REPORT.moved }, endedAt: null, failure: null },
      { running: false, report: REPORT, endedAt: null, failure: null },
    ];
    const { out, err, exitCode } = await run(['balance', '--apply', '--max-moves', '3', '--tolerance', '5', '--parallel', '1'], {
      balance: { start, read: () => Promise.resolve(views.shift() ?? null) },
    });
    expect(inputs).toMatchObject([{ maxMoves: 3, tolerance: 0.05, parallel: 1 }]);
    expect(err).toBe('Guest 101 moves from node1 to node2\nGuest 101 has moved from node1 to node2\n');
    expect(out).toContain('Balance by ann done, all nodes are near the mean in 1 m 00 s: 1 move');
    expect(exitCode).toBe(0);
  });

  test('--apply tells of one that ended before all was even by its exit code, and of one that failed as an error', async () => {
    const ended = (view: BalanceView) =>
      run(['balance', '--apply'], { balance: { start: () => Promise.resolve({ firstRunId: 'run' }), read: () => Promise.resolve(view) } });
    expect(await ended({ running: false, report: { ...REPORT, end: 'most-moves' }, endedAt: null, failure: null })).toMatchObject({ exitCode: 3 });
    expect(await ended({ running: false, report: null, endedAt: null, failure: 'no luck' })).toMatchObject({
      exitCode: 1,
      err: expect.stringContaining('no luck'),
    });
  });

  test('--detach does not wait', async () => {
    const { out } = await run(['balance', '--apply', '--detach', '--json'], { balance: { start: () => Promise.resolve({ firstRunId: 'run' }) } });
    expect(JSON.parse(out)).toEqual({ event: 'started' });
  });

  test('status tells a balancer that has not looked yet from one that is off', async () => {
    const balance = { read: () => Promise.resolve(null), readBalancer: () => Promise.resolve({ at: null, text: 'has not looked yet', cooling: 0 }) };
    expect((await run(['balance', 'status'], { balance })).out).toContain('Balancer: on, has not looked yet');
  });

  test('names the one that runs already', async () => {
    const start = () => Promise.reject(new KedgeError('already-balancing', 'Cannot balance the cluster: one by ann runs'));
    expect(await run(['balance', '--apply'], { balance: { start } })).toMatchObject({ exitCode: 3, err: expect.stringContaining('kedge balance status') });
  });

  test.for([
    [['balance'], 'neither --plan nor --apply'],
    [['balance', '--plan', '--apply'], "'--plan' cannot be used with option '--apply'"],
    [['balance', '--plan', '--max-moves', '0'], 'Current value is "0"'],
    [['balance', '--plan', '--max-moves', '101'], 'maxMoves: current value is 101, must be a whole number from 1 to 100'],
    [['balance', '--plan', '--tolerance', '150'], 'Current value is "150", must be a whole number from 0 to 100'],
  ] as const)('refuses %j', async ([argv, why]) => {
    expect(await run(argv, { takeSnapshot: UNEVEN })).toMatchObject({ exitCode: 2, out: '', err: expect.stringContaining(why) });
  });

  test('status shows the balance and the balancer, cancel stops the one', async () => {
    const balance = {
      read: () => Promise.resolve({ running: false, report: REPORT, endedAt: null, failure: null }),
      readBalancer: () => Promise.resolve({ at: '2026-03-01T12:00:00Z', text: 'even enough', cooling: 2 }),
      cancel: () => Promise.resolve(),
    };
    const { out } = await run(['balance', 'status'], { balance });
    expect(out).toMatch(/^node1 +75 % +38 %$/m);
    expect(out).toContain('Balancer: on, looked at 2026-03-01T12:00:00Z: even enough; 2 guests are left alone for a time');
    expect(JSON.parse((await run(['balance', 'status', '--json'], { balance })).out)).toMatchObject({ balancer: { cooling: 2 }, balance: { running: false } });
    expect((await run(['balance', 'cancel'], { balance })).out).toContain('No more moves begin');
    const nothing = { read: () => Promise.resolve(null), readBalancer: () => Promise.resolve(null) };
    expect((await run(['balance', 'status'], { balance: nothing })).out).toBe('Balance: none is known\nBalancer: off\n');
  });
});

describe('kedge recommend', () => {
  const guests = [{ vmid: 101, node: 'node1', memoryBytes: 2 * GIB, cpuLoad: 2 }];

  test('names a node with faster processors, how full both are, and what the move costs', async () => {
    const nodes = [node('node1', { pressure: { cpu: 40, memory: 0 } }), node('node2', { speed: 2 })];
    const { out, exitCode } = await run(['recommend', '101'], { takeSnapshot: snapshot(nodes, guests) });
    expect(exitCode).toBe(0);
    expect(out).toContain('Guest 101 would be better on node2 than on node1:');
    expect(out).toContain('its processors are 2 times as fast as those of node1');
    expect(out).toContain('node1 is 60 % full, node2 would be 30 % full with it');
    expect(out).toContain('something waited for a processor 40 % of the last minute on node1, 0 % on node2');
    expect(out).toMatch(/The move: live, .* to send, .*\n {2}\$ kedge migrate 101 node2\n/);
    const { advice, best, cost } = JSON.parse((await run(['recommend', '101', '--json'], { takeSnapshot: snapshot(nodes, guests) })).out);
    expect({ advice, best, cost }).toMatchObject({ advice: 'move', best: 'node2', cost: { way: 'live' } });
  });

  test('says that a guest is fine where it is', async () => {
    const { out, exitCode } = await run(['recommend', '101'], { takeSnapshot: snapshot([node('node1'), node('node2')], guests) });
    expect(out).toContain('Guest 101 is fine on node1:\n  node2, the best of the others, is no better\n');
    expect(out).not.toContain('kedge migrate');
    expect(exitCode).toBe(0);
  });

  test('says why a guest stays, or that nobody has it', async () => {
    const pinned = snapshot([node('node1'), node('node2')], [{ ...guests[0], pinned: true }]);
    expect(await run(['recommend', '101'], { takeSnapshot: pinned })).toMatchObject({ exitCode: 3, out: expect.stringContaining('it is pinned to its node') });
    const alone = snapshot([node('node1')], guests);
    expect((await run(['recommend', '101'], { takeSnapshot: alone })).out).toContain('no other node can take it');
    expect(await run(['recommend', '999'], { takeSnapshot: alone })).toMatchObject({ exitCode: 3, out: '', err: expect.stringContaining('guest 999') });
  });
});
