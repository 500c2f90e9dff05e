/** What holds for every plan, judged by a reckoning of its own: it shares nothing with the planner but the types. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planBalance } from '../../../../src/domain/plan/plan-balance.js';
import { planEvacuation } from '../../../../src/domain/plan/plan-evacuation.js';
import { planRestore } from '../../../../src/domain/plan/plan-restore.js';
import type { Plan, PlannedMove } from '../../../../src/domain/plan/plan.js';
import type { ClusterSnapshot, GuestRule, SnapshotNode } from '../../../../src/domain/plan/snapshot.js';
import { randomClusters } from '../../../support/random-clusters.js';

type Planner = (snapshot: ClusterSnapshot) => Plan;
const firstTwo = ({ nodes }: ClusterSnapshot) => nodes.slice(0, 2).map(({ name }) => name);
const PLANNERS: readonly (readonly [string, Planner])[] = [
  ['an evacuation', (snapshot) => planEvacuation(snapshot, firstTwo(snapshot))],
  ['a restore', (snapshot) => planRestore(snapshot, firstTwo(snapshot))],
  ['a balance', (snapshot) => planBalance(snapshot, { maxMoves: 20, tolerance: 0.02, minGain: 0.001 })],
];

function holds(check: (snapshot: ClusterSnapshot) => void): void {
  fc.assert(fc.property(randomClusters, check), { numRuns: 150 });
}

const capacity = ({ memoryBytes, reservedBytes }: SnapshotNode): number => memoryBytes - reservedBytes;
const placesOf = (snapshot: ClusterSnapshot): Map<number, string> => new Map(snapshot.guests.map(({ vmid, node }) => [vmid, node]));
const weightOf = (snapshot: ClusterSnapshot): Map<number, number> =>
  new Map(snapshot.guests.map(({ vmid, running, memoryBytes }) => [vmid, running ? memoryBytes : 0]));

function loads(snapshot: ClusterSnapshot, places: ReadonlyMap<number, string>): Map<string, number> {
  const weights = weightOf(snapshot);
  const sums = new Map<string, number>();
  for (const [vmid, node] of places) sums.set(node, (sums.get(node) ?? 0) + (weights.get(vmid) ?? 0));
  return sums;
}

function isBroken(rule: GuestRule, places: ReadonlyMap<number, string>): boolean {
  const where = rule.guests.map((vmid) => places.get(vmid) ?? '');
  switch (rule.kind) {
    case 'together':
      return new Set(where).size > 1;
    case 'apart':
      return new Set(where).size < where.length;
    case 'nodes':
      return where.some((node) => !rule.nodes.some((name) => name === node));
  }
}

function after(snapshot: ClusterSnapshot, plan: Plan): Map<number, string> {
  const places = placesOf(snapshot);
  for (const { vmid, to } of plan.moves) places.set(vmid, to);
  return places;
}

describe.each(PLANNERS)('%s', (_, planner) => {
  test('never gives a node more than it can hold, while its moves run one after the other', () => {
    holds((snapshot) => {
      const places = placesOf(snapshot);
      for (const { vmid, from, to } of planner(snapshot).moves) {
        expect(places.get(vmid)).toBe(from);
        // During a move the guest has memory on both sides.
        const arriving = (loads(snapshot, places).get(to) ?? 0) + (weightOf(snapshot).get(vmid) ?? 0);
        const target = snapshot.nodes.find(({ name }) => name === to);
        if ((weightOf(snapshot).get(vmid) ?? 0) > 0) expect(arriving).toBeLessThanOrEqual(target === undefined ? 0 : capacity(target));
        places.set(vmid, to);
      }
    });
  });

  test('never gives a node more than it can hold, in whichever order moves run that wait for none', () => {
    fc.assert(
      fc.property(randomClusters, fc.array(fc.nat(), { minLength: 1 }), (snapshot, choices) => {
        let turn = 0;
        runAtOnce(snapshot, planner(snapshot).moves, () => choices[turn++ % choices.length] ?? 0);
      }),
      { numRuns: 150 },
    );
  });

  test('breaks no required rule that was kept', () => {
    holds((snapshot) => {
      const plan = planner(snapshot);
      const [before, then] = [placesOf(snapshot), after(snapshot, plan)];
      const required = snapshot.rules.filter((rule) => rule.required);
      const stuck = new Set(plan.unplanned.map(({ vmid }) => vmid));
      for (const rule of required) {
        // Guests that belong together may be parted only where one of them could not follow, which the plan says.
        if (isBroken(rule, before) || (rule.kind === 'together' && rule.guests.some((vmid) => stuck.has(vmid)))) continue;
        expect(isBroken(rule, then), rule.id).toBe(false);
      }
    });
  });

  test('sends guests only where they find their networks, storages, machine type and processor', () => {
    holds((snapshot) => {
      for (const { vmid, from, to, way } of planner(snapshot).moves) {
        const guest = snapshot.guests.find((each) => each.vmid === vmid);
        const [source, target] = [from, to].map((node) => snapshot.nodes.find(({ name }) => name === node));
        expect(target?.bridges).toEqual(expect.arrayContaining([...(guest?.bridges ?? [])]));
        expect(target?.storages.map(({ id }) => id)).toEqual(expect.arrayContaining(guest?.disks.map(({ storage }) => storage) ?? []));
        if (way !== 'live') continue;
        expect(target?.cpuFlags).toEqual(expect.arrayContaining([...(guest?.cpuFlags ?? [])]));
        expect(guest?.kind).toBe('qemu');
        expect(Number(target?.qemu.split('.')[0])).toBeGreaterThanOrEqual(Number(source?.qemu.split('.')[0]));
      }
    });
  });

  test('moves none that is pinned or uses a device of its node, and stops none whose policy forbids it', () => {
    holds((snapshot) => {
      for (const { vmid, way } of planner(snapshot).moves) {
        const guest = snapshot.guests.find((each) => each.vmid === vmid);
        expect(guest).toMatchObject({ pinned: false, localDevices: [] });
        if (way === 'restart') expect(guest?.whenNotLive).toBe('offline');
      }
    });
  });

  test('is the same for the same snapshot', () => {
    holds((snapshot) => {
      expect(planner(structuredClone(snapshot))).toEqual(planner(snapshot));
    });
  });
});

test('an evacuation tells of every guest of the nodes: it leaves, or stays for a reason', () => {
  holds((snapshot) => {
    const leaving = firstTwo(snapshot);
    const plan = planEvacuation(snapshot, leaving);
    const then = after(snapshot, plan);
    const stays = new Map(plan.unplanned.map(({ vmid, reason }) => [vmid, reason]));
    for (const { vmid, node } of snapshot.guests.filter((guest) => leaving.includes(guest.node))) {
      const left = !leaving.some((name) => name === then.get(vmid));
      expect(left !== stays.has(vmid), `guest ${vmid} of ${node}`).toBe(true);
      if (!left) expect(stays.get(vmid)).not.toBe('');
    }
  });
});

test('with one node to be survived, an evacuation leaves enough free for the guests of any other', () => {
  holds((snapshot) => {
    if (!snapshot.survivesOneNode) return;
    const leaving = firstTwo(snapshot);
    const plan = planEvacuation(snapshot, leaving);
    if (plan.moves.every(({ vmid }) => (weightOf(snapshot).get(vmid) ?? 0) === 0)) return;
    const sums = loads(snapshot, after(snapshot, plan));
    const rest = snapshot.nodes.filter(({ name, state }) => state === 'online' && !leaving.includes(name));
    const freeOf = (node: SnapshotNode): number => Math.max(0, capacity(node) - (sums.get(node.name) ?? 0));
    const free = rest.reduce((sum, node) => sum + freeOf(node), 0);
    for (const node of rest) expect(sums.get(node.name) ?? 0).toBeLessThanOrEqual(free - freeOf(node));
  });
});

test('a balance never ends worse than it began, and a restore never moves one that is at home', () => {
  holds((snapshot) => {
    const { nodes } = planBalance(snapshot, { maxMoves: 20, tolerance: 0.02, minGain: 0.001 });
    const squares = (values: readonly number[]): number => values.reduce((sum, value) => sum + value * value, 0);
    expect(squares(nodes.map((node) => node.after))).toBeLessThanOrEqual(squares(nodes.map(({ before }) => before)) + 1e-9);
    const homes = new Map(snapshot.guests.map(({ vmid, home, node }) => [vmid, home ?? node]));
    for (const { vmid, from } of planRestore(snapshot, firstTwo(snapshot)).moves) expect(homes.get(vmid)).not.toBe(from);
  });
});

/** Starts and ends moves in an order of chance, each only after those that it waits for; a guest has memory on both sides while it moves. */
function runAtOnce(snapshot: ClusterSnapshot, moves: readonly PlannedMove[], next: () => number): void {
  const weights = weightOf(snapshot);
  const used = loads(snapshot, placesOf(snapshot));
  const [started, ended] = [new Set<number>(), new Set<number>()];
  const add = (node: string, bytes: number): void => {
    used.set(node, (used.get(node) ?? 0) + bytes);
  };
  while (ended.size < moves.length) {
    const startable = moves.flatMap(({ after: waits }, at) => (!started.has(at) && waits.every((each) => ended.has(each)) ? [at] : []));
    const running = [...started].filter((at) => !ended.has(at));
    const options = [...startable, ...running];
    const at = options[next() % options.length];
    const move = at === undefined ? undefined : moves[at];
    if (at === undefined || move === undefined) throw new Error('No move can go on');
    const weight = weights.get(move.vmid) ?? 0;
    if (started.has(at)) {
      ended.add(at);
      add(move.from, -weight);
      continue;
    }
    started.add(at);
    add(move.to, weight);
    const target = snapshot.nodes.find(({ name }) => name === move.to);
    if (weight > 0) expect(used.get(move.to)).toBeLessThanOrEqual(target === undefined ? 0 : capacity(target));
  }
}
