import { describe, expect, test } from 'vitest';
import {
  judgeCluster,
  NEW_BALANCER,
  type BalancePolicy,
  type BalancerLook,
  type BalancerSight,
  type BalancerState,
} from '../../../../src/domain/balance/judge-cluster.js';
import { asRemembered, remember } from '../../../../src/domain/balance/load-memory.js';
import { parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { planBalance } from '../../../../src/domain/plan/plan-balance.js';
import type { ClusterSnapshot } from '../../../../src/domain/plan/snapshot.js';
import { plainGuest } from '../../../support/plain-guest.js';

const MINUTE = 60_000;
const GIB = 2 ** 30;
const START = Date.parse('2026-03-01T12:00:00Z');
const POLICY: BalancePolicy = {
  intervalMs: 5 * MINUTE,
  historyMs: 30 * MINUTE,
  beginAbove: 0.2,
  stopBelow: 0.1,
  cooldownMs: 120 * MINUTE,
  maxMoves: 4,
  parallel: 1,
  onlyIn: [],
};

interface GuestShape {
  readonly node: string;
  readonly load?: number;
}

/** Nodes of ten cores; guests of little memory. */
function cluster(guests: readonly GuestShape[], pressure: Readonly<Record<string, { memory: number; cpu: number }>> = {}): ClusterSnapshot {
  return {
    v: 1,
    takenAt: '',
    nodes: ['node1', 'node2', 'node3'].map((name) => ({
      name: parseNodeName(name),
      state: 'online',
      cores: 10,
      speed: 1,
      accelerator: 'kvm',
      cpuFlags: [],
      memoryBytes: 100 * GIB,
      reservedBytes: 0,
      qemu: '7.2.22',
      machineTypes: [],
      bridges: [],
      storages: [],
      ...(pressure[name] === undefined ? {} : { pressure: pressure[name] }),
    })),
    guests: guests.map(({ node, load = 2 }, at) => plainGuest(101 + at, node, { cores: 4, cpuLoad: load })),
    rules: [],
    survivesOneNode: false,
  };
}

const FULL = Array.from({ length: 4 }, () => ({ node: 'node1' }));
const sight = (snapshot: ClusterSnapshot, nowMs: number, more: Partial<BalancerSight> = {}): BalancerSight => ({
  snapshot,
  nowMs,
  open: { until: null },
  isRunning: false,
  last: null,
  travels: 0,
  blackouts: [],
  ...more,
});

/** Looks at what `at` shows, every interval; answers the last look. */
function watch(at: (minute: number) => ClusterSnapshot, minutes: number, from: BalancerState = NEW_BALANCER): BalancerLook {
  let look: BalancerLook = { state: from, round: null, text: '' };
  for (let minute = 0; minute <= minutes; minute += 5) look = judgeCluster(look.state, sight(at(minute), START + minute * MINUTE), POLICY);
  return look;
}

describe('the balancer', () => {
  test('begins nothing before it has looked for as long as its history, then a round with what it remembers', () => {
    expect(watch(() => cluster(FULL), 25)).toMatchObject({ round: null, text: expect.stringContaining('has looked for 25 m') });
    const { round, text } = watch(() => cluster(FULL), 30);
    expect(text).toBe('node1 is 80 % full, the mean is 27 %: begins a round');
    expect(round).toMatchObject({ maxMoves: 4, parallel: 1, tolerance: 0.1, leave: [], memory: { sinceMs: START } });
  });

  test('is not moved by one busy look', () => {
    const calm = (minute: number): ClusterSnapshot =>
      cluster([
        { node: 'node1', load: minute === 30 ? 9 : 1 },
        { node: 'node1', load: 0.5 },
      ]);
    expect(watch(calm, 30)).toMatchObject({ round: null, text: expect.stringContaining('even enough') });
    const busy = (minute: number): ClusterSnapshot =>
      cluster([
        { node: 'node1', load: minute >= 30 ? 9 : 1 },
        { node: 'node1', load: 0.5 },
      ]);
    expect(watch(busy, 60).round).not.toBeNull();
  });

  test('begins above one threshold only, and ends below the other', () => {
    // 40 % and 10 %: 20 points above the mean of 20 %, a little more or less.
    const at = (load: number) => () =>
      cluster([
        { node: 'node1', load },
        { node: 'node1', load: 2 },
        { node: 'node2', load: 1 },
        { node: 'node3', load: 1 },
      ]);
    expect(watch(at(1.9), 60).text).toContain('even enough');
    expect(watch(at(2.1), 60).round).toMatchObject({ tolerance: 0.1 });
  });

  test.for([
    [{ isRunning: true }, 'a balance runs'],
    [{ open: 'closed' }, 'waits for its times'],
    [{ blackouts: [{ name: 'freeze', nodes: null, guests: null, endsAt: '2027-01-01T00:00:00Z' }] }, 'blackout freeze is on until 2027-01-01T00:00:00Z'],
    [{ travels: 3 }, 'waits until the 3 migrations under way have ended'],
    [{ open: { until: new Date(START + 35 * MINUTE + 1_000).toISOString() } }, 'the time left is too short for a move'],
  ] as const)('waits: %j', ([more, why]) => {
    const { state } = watch(() => cluster(FULL), 30);
    expect(judgeCluster(state, sight(cluster(FULL), START + 35 * MINUTE, more), POLICY)).toMatchObject({ round: null, text: expect.stringContaining(why) });
  });

  test('leaves guests alone that have moved, whoever moved them, or whose move failed, until their time is over', () => {
    const { state } = watch(() => cluster(FULL), 30);
    const now = START + 35 * MINUTE;
    const came = cluster([{ node: 'node2' }, ...FULL.slice(1)]);
    const failed = [{ vmid: parseVmid(102), to: parseNodeName('node2'), code: 'rolled-back', reason: 'no luck', at: new Date(now).toISOString() }] as const;
    const look = judgeCluster(
      state,
      sight(came, now, { last: { report: { failed, end: 'no-better' }, endedAt: new Date(now).toISOString(), failure: null } }),
      POLICY,
    );
    expect(look.round?.leave).toEqual([
      { vmid: 102, reason: 'its move failed: no luck' },
      { vmid: 101, reason: 'it moved from node1 to node2 a while ago' },
    ]);
    const later = (ms: number) => judgeCluster(look.state, sight(came, now + ms), POLICY).state.cooling.length;
    expect([later(119 * MINUTE), later(121 * MINUTE)]).toEqual([2, 0]);
  });

  test.for([
    [{ report: { failed: [], end: 'cancelled' }, failure: null }, 'the last balance was cancelled, none begins for 1 h'],
    [{ report: { failed: [], end: 'failing' }, failure: null }, 'the last balance was given up, its moves failed, none begins for 1 h'],
    [{ report: null, failure: 'no luck' }, 'the last balance failed (no luck), none begins for 1 h'],
  ] as const)('begins nothing for its cooldown after a balance that ended like this: %j', ([ended, why]) => {
    const { state } = watch(() => cluster(FULL), 30);
    const now = START + 35 * MINUTE;
    const last = { ...ended, endedAt: new Date(now - 59 * MINUTE).toISOString() };
    const look = (ms: number) => judgeCluster(state, sight(cluster(FULL), now + ms, { last }), POLICY);
    expect(look(0)).toMatchObject({ round: null, text: expect.stringContaining(why) });
    expect(look(62 * MINUTE).round).not.toBeNull();
  });

  test('moves no guest again before its cooldown is over while a load swings about the threshold', () => {
    let state = NEW_BALANCER;
    let guests: readonly GuestShape[] = [...FULL, { node: 'node2', load: 1 }, { node: 'node3', load: 1 }];
    const moves: { vmid: number; minute: number }[] = [];
    for (let minute = 0; minute <= 24 * 60; minute += 5) {
      // The busy side changes every twenty minutes, and by every other guest.
      const swing = Math.floor(minute / 20) % 2 === 0;
      guests = guests.map(({ node }, at) => ({ node, load: (at % 2 === 0) === swing ? 3 : 0.5 }));
      const look = judgeCluster(state, sight(cluster(guests), START + minute * MINUTE), POLICY);
      state = look.state;
      if (look.round === null) continue;
      const left = new Set(look.round.leave?.map(({ vmid }) => vmid));
      const view = asRemembered(cluster(guests), look.round.memory!);
      const pinned = { ...view, guests: view.guests.map((guest) => ({ ...guest, pinned: left.has(guest.vmid) })) };
      for (const { vmid, to } of planBalance(pinned, { maxMoves: 4, tolerance: 0.1, minGain: 0.01 }).moves) {
        moves.push({ vmid, minute });
        guests = guests.map((guest, at) => (101 + at === vmid ? { ...guest, node: to } : guest));
      }
    }
    expect(moves.length).toBeGreaterThan(0);
    // At first two guests find better places; what follows is the swing alone, which the history evens out.
    expect(moves.length).toBeLessThanOrEqual(6);
    for (const { vmid, minute } of moves) {
      const again = moves.find((other) => other.vmid === vmid && other.minute > minute);
      if (again !== undefined) expect(again.minute - minute).toBeGreaterThanOrEqual(120);
    }
  });
});

describe('the memory of loads', () => {
  const after = (samples: readonly (readonly [minute: number, load: number])[]): number => {
    const memory = samples.reduce<ReturnType<typeof remember> | null>(
      (known, [minute, load]) => remember(known, cluster([{ node: 'node1', load }]), { nowMs: START + minute * MINUTE, fadeMs: 30 * MINUTE }),
      null,
    );
    return asRemembered(cluster([{ node: 'node1', load: 99 }]), memory!).guests[0]!.cpuLoad;
  };

  test('fades what is past, takes no two samples within a minute, and lets none count for more than half', () => {
    expect(after([[0, 2]])).toBe(2);
    expect(
      after([
        [0, 2],
        [0.5, 9],
      ]),
    ).toBe(2);
    expect(
      after([
        [0, 2],
        [1, 4],
      ]),
    ).toBe(3);
    expect(
      after([
        [0, 2],
        [600, 4],
      ]),
    ).toBe(3);
    const hour = Array.from({ length: 60 }, (_, at) => [at, 1] as const);
    expect(after([...hour, [60, 10]])).toBeCloseTo(1 + 9 * (1 - Math.exp(-1 / 30)), 2);
  });

  test('goes with a guest to another node, and forgets one that is gone', () => {
    const first = remember(
      null,
      cluster([
        { node: 'node1', load: 4 },
        { node: 'node1', load: 1 },
      ]),
      { nowMs: START, fadeMs: MINUTE },
    );
    const second = remember(first, cluster([{ node: 'node2', load: 2 }]), { nowMs: START + MINUTE, fadeMs: MINUTE });
    expect(second.nodes.map(({ loads }) => loads)).toEqual([[], [[101, 3]], []]);
  });

  test('takes pressure for more that is wanted and less that is there, and never for room', () => {
    const strained = cluster([{ node: 'node1', load: 4 }], { node1: { cpu: 50, memory: 40 } });
    const view = asRemembered(strained, remember(null, strained, { nowMs: START, fadeMs: MINUTE }));
    expect(view.guests[0]?.cpuLoad).toBe(5);
    expect(view.nodes[0]?.reservedBytes).toBe(10 * GIB);
    expect(view.nodes.slice(1)).toEqual(strained.nodes.slice(1));
  });
});
