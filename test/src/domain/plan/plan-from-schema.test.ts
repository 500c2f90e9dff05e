/** What somebody meets who knows only docs/snapshot.schema.json: snapshots of chance in any order, odd storages, full nodes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { place } from '../../../../src/domain/plan/place.js';
import { planBalance } from '../../../../src/domain/plan/plan-balance.js';
import { planEvacuation } from '../../../../src/domain/plan/plan-evacuation.js';
import { planRestore } from '../../../../src/domain/plan/plan-restore.js';
import type { Plan } from '../../../../src/domain/plan/plan.js';
import type { ClusterSnapshot } from '../../../../src/domain/plan/snapshot.js';
import { clusterSnapshotSchema } from '../../../../src/schema/cluster-snapshot.js';

const NAMES = ['n1', 'n2', 'n3', 'n4'];
const [n1, n2, n3] = [parseNodeName('n1'), parseNodeName('n2'), parseNodeName('n3')];
const cluster = (snapshot: Record<string, unknown>): ClusterSnapshot => clusterSnapshotSchema.parse({ v: 1, ...snapshot });
const node = (name: string, memoryBytes: number, more: Record<string, unknown> = {}) => ({ name, cores: 4, memoryBytes, ...more });
const guest = (vmid: number, on: string, memoryBytes: number, more: Record<string, unknown> = {}) => ({ vmid, node: on, memoryBytes, ...more });
const shortly = ({ moves }: Plan): readonly string[] => moves.map(({ vmid, from, to }) => `${vmid} ${from}>${to}`);

const nodes = fc.array(
  fc.record({
    cores: fc.integer({ min: 1, max: 4 }),
    memoryBytes: fc.integer({ min: 0, max: 12 }),
    state: fc.constantFrom('online', 'online', 'online', 'cordoned', 'silent'),
    storages: fc.constantFrom('X', 'X', 'Y').chain((identity) =>
      fc.integer({ min: 0, max: 6 }).map((freeBytes) => [
        { id: 'nfs', identity, freeBytes },
        { id: 'local', freeBytes: 6 },
      ]),
    ),
  }),
  { minLength: 4, maxLength: 4 },
);
const guests = fc.array(
  fc.record({
    node: fc.constantFrom(...NAMES),
    home: fc.constantFrom(...NAMES),
    memoryBytes: fc.integer({ min: 0, max: 4 }),
    running: fc.constantFrom(true, true, false),
    disks: fc.array(fc.record({ storage: fc.constantFrom('nfs', 'local'), bytes: fc.integer({ min: 0, max: 4 }) }), { maxLength: 1 }),
    priority: fc.integer({ min: 0, max: 1 }),
    whenNotLive: fc.constantFrom('offline', 'skip'),
  }),
  { maxLength: 7 },
);
const rule = fc.record({
  kind: fc.constantFrom('together', 'apart'),
  guests: fc.uniqueArray(fc.integer({ min: 100, max: 106 }), { maxLength: 3 }),
  required: fc.boolean(),
});
const snapshots = fc.record({ nodes, guests, rules: fc.array(rule, { maxLength: 2 }), survivesOneNode: fc.boolean() }).map((made) => ({
  ...made,
  nodes: made.nodes.map((each, at) => ({ ...each, name: NAMES[at] })),
  guests: made.guests.map((each, at) => ({ ...each, vmid: 100 + at })),
  rules: made.rules.map((each, at) => ({ ...each, id: `rule${at}` })),
}));
const plansOf = (snapshot: ClusterSnapshot) => [planEvacuation(snapshot, [n1, n2]), planRestore(snapshot, [n1, n2]), planBalance(snapshot)] as const;

describe('a snapshot of chance', () => {
  test('has the same plans in whichever order its nodes, guests and rules stand', () => {
    fc.assert(
      fc.property(snapshots, (made) => {
        const turned = { ...made, nodes: made.nodes.toReversed(), guests: made.guests.toReversed(), rules: made.rules.toReversed() };
        const [one, other] = [cluster(made), cluster(turned)];
        expect(plansOf(other)).toEqual(plansOf(one));
        for (const { vmid } of one.guests) expect(place(other, vmid)).toEqual(place(one, vmid));
      }),
      { numRuns: 60 },
    );
  });

  test('has no plan that sends a guest live and its disks with it, or puts more on a storage than is free there for all nodes that see it', () => {
    fc.assert(
      fc.property(snapshots, (made) => {
        const snapshot = cluster(made);
        const storageOf = (name: string, id: string) => snapshot.nodes.find((each) => each.name === name)?.storages.find((storage) => storage.id === id);
        for (const { moves } of plansOf(snapshot)) {
          const taken = new Map<string, number>();
          for (const { vmid, from, to, way } of moves) {
            for (const { storage, bytes } of snapshot.guests.find((each) => each.vmid === vmid)?.disks ?? []) {
              const there = storageOf(to, storage);
              const identity = there?.identity ?? null;
              if (identity !== null && identity === storageOf(from, storage)?.identity) continue;
              expect(way).not.toBe('live');
              const key = identity ?? `${to} ${storage}`;
              taken.set(key, (taken.get(key) ?? 0) + bytes);
              expect(taken.get(key)).toBeLessThanOrEqual(there?.freeBytes ?? 0);
            }
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});

test('an evacuation fills the fullest nodes first where guests find no room when they are spread', () => {
  const full = [node('n1', 20), node('n2', 12), node('n3', 4)];
  const plan = planEvacuation(
    cluster({ nodes: full, guests: [guest(100, 'n1', 4), guest(101, 'n1', 3), guest(102, 'n1', 3), guest(103, 'n2', 6, { pinned: true })] }),
    [n1],
  );
  expect(plan.unplanned).toEqual([]);
  expect(shortly(plan)).toEqual(['100 n1>n3', '101 n1>n2', '102 n1>n2']);
});

test('of guests that belong together one may take its disks along, stopped, while another runs on', () => {
  const local = { storages: [{ id: 'local', freeBytes: 5 }] };
  const plan = planEvacuation(
    cluster({
      nodes: [node('n1', 10, local), node('n2', 10, local)],
      guests: [guest(101, 'n1', 2), guest(102, 'n1', 2, { disks: [{ storage: 'local', bytes: 3 }], whenNotLive: 'offline' })],
      rules: [{ kind: 'together', id: 'pair', guests: [101, 102] }],
    }),
    [n1],
  );
  expect(plan.moves).toMatchObject([
    { vmid: 101, way: 'live', bytes: 2 },
    { vmid: 102, way: 'restart', bytes: 3 },
  ]);
});

test('a restore parks nobody who could not go on from there', () => {
  const apart = { kind: 'apart', id: 'pair', guests: [101, 102] };
  const plan = planRestore(
    cluster({
      nodes: [node('n1', 10), node('n2', 10), node('n3', 12)],
      guests: [
        guest(101, 'n2', 2, { home: 'n1' }),
        guest(102, 'n1', 2, { pinned: true }),
        guest(103, 'n3', 9, { home: 'n2' }),
        guest(104, 'n2', 2, { pinned: true }),
      ],
      rules: [apart],
    }),
    [n1, n2],
  );
  expect(plan.moves).toEqual([]);
  expect(plan.unplanned.map(({ vmid, node: at }) => [vmid, at])).toEqual([
    [101, n2],
    [103, n3],
  ]);
});

test('a cluster that could not survive a node even now lets moves be that make it no worse, and none that does', () => {
  const tight = cluster({
    nodes: [node('n1', 10), node('n2', 10), node('n3', 10, { state: 'cordoned' })],
    guests: [guest(101, 'n1', 4), guest(102, 'n1', 4), guest(103, 'n2', 3), guest(104, 'n3', 2)],
    survivesOneNode: true,
  });
  expect(place(tight, parseVmid(101)).choices).toMatchObject([{ node: n2 }]);
  expect(planEvacuation(tight, [n3])).toMatchObject({ moves: [], unplanned: [{ vmid: 104 }] });
});

test('a node that has no memory for guests, and has some, is full without end in words that can be read', () => {
  const odd = cluster({ nodes: [node('n1', 0), node('n2', 8)], guests: [guest(101, 'n1', 4)] });
  expect(place(odd, parseVmid(101)).now.reason).toBe('endlessly full with it');
});

test('a rule of thousands costs no square of them, and each of its guests names but a few others', () => {
  const vmids = Array.from({ length: 1000 }, (_, at) => 100 + at);
  const many = Array.from({ length: 20 }, (_, at) => node(`n${at + 1}`, 1500));
  const guestsThere = vmids.map((vmid) => guest(vmid, 'n1', 2));
  const began = performance.now();
  const stuck = planEvacuation(cluster({ nodes: many, guests: guestsThere, rules: [{ kind: 'together', id: 'all', guests: vmids }] }), [n1]);
  const apart = planEvacuation(cluster({ nodes: many, guests: guestsThere, rules: [{ kind: 'apart', id: 'all', guests: vmids }] }), [n1]);
  expect(performance.now() - began).toBeLessThan(10_000);
  expect(stuck.unplanned[0]?.reason).toBe('no node can take it together with guest 101, 102, 103, 104, 105 and 994 more');
  expect(apart.moves).toHaveLength(19);
});
