/** Where the guests of a lost node start: judged by a reckoning of its own, over random clusters. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { randomCluster } from '../../../../bench/plan/random-cluster.js';
import { parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../../../src/domain/ids.js';
import type { LostGuest } from '../../../../src/domain/lost-guest.js';
import { placeNextLost } from '../../../../src/domain/plan/place-lost.js';
import { NO_PLACEMENT, type Placement } from '../../../../src/domain/plan/placement.js';
import type { ClusterSnapshot, SnapshotGuest } from '../../../../src/domain/plan/snapshot.js';
import type { Recoverable } from '../../../../src/domain/recovery.js';
import { randomClusters } from '../../../support/random-clusters.js';

const LOST = parseNodeName('node1');

function lostGuest({ vmid, kind, running, memoryBytes, cores, bridges, disks }: SnapshotGuest): LostGuest {
  return {
    vmid,
    kind,
    name: `guest${vmid}`,
    wanted: running ? 'running' : 'stopped',
    newest: { generation: parseGeneration(1), owner: LOST },
    storage: 'shared',
    memoryBytes,
    cores,
    bridges,
    storages: disks.map(({ storage }) => storage),
    startOrder: null,
  };
}

/** The cluster after node1 has fallen silent, and its guests whose disks are shared. */
function fallen(snapshot: ClusterSnapshot): { snapshot: ClusterSnapshot; guests: readonly Recoverable[] } {
  const seenBy = snapshot.nodes.map(({ name }) => name).filter((name) => name !== LOST);
  const mine = snapshot.guests.filter(({ node }) => node === LOST);
  return {
    snapshot: {
      ...snapshot,
      nodes: snapshot.nodes.map((node) => (node.name === LOST ? { ...node, state: 'silent', storages: [] } : node)),
      guests: snapshot.guests.filter(({ node }) => node !== LOST),
    },
    guests: mine.filter(({ disks }) => disks.every(({ storage }) => storage === 'shared')).map((guest) => ({ guest: lostGuest(guest), seenBy })),
  };
}

/** All of them in their order, each on its first choice. */
function placeAll(
  snapshot: ClusterSnapshot,
  guests: readonly Recoverable[],
  placement: Placement = NO_PLACEMENT,
): { order: number[]; to: Map<number, NodeName> } {
  const to = new Map<number, NodeName>();
  const order: number[] = [];
  const placed: { guest: LostGuest; to: NodeName }[] = [];
  for (let waiting = guests; waiting.length > 0; ) {
    const { vmid, targets } = placeNextLost(snapshot, { lost: LOST, guests: waiting, placed }, placement);
    const one = waiting.find(({ guest }) => guest.vmid === vmid);
    if (one === undefined) throw new Error(`Guest ${vmid} was not asked for`);
    waiting = waiting.filter((other) => other !== one);
    order.push(vmid);
    const [first] = targets;
    if (first === undefined) continue;
    placed.push({ guest: one.guest, to: first });
    to.set(vmid, first);
  }
  return { order, to };
}

describe('the guests of a lost node', () => {
  test('are placed on nodes that take guests, have room and bridges, and break no rule that is required', () => {
    let count = 0;
    fc.assert(
      fc.property(randomClusters, (before) => {
        const { snapshot, guests } = fallen(before);
        const { to } = placeAll(snapshot, guests);
        count += to.size;
        const where = new Map<number, string>([...snapshot.guests.map(({ vmid, node }) => [vmid, node] as const), ...to]);
        for (const node of snapshot.nodes) {
          const here = before.guests.filter(({ vmid }) => where.get(vmid) === node.name);
          const came = here.filter(({ vmid }) => to.has(vmid));
          if (came.length === 0) continue;
          expect(node.state).toBe('online');
          for (const { bridges } of came) expect(node.bridges).toEqual(expect.arrayContaining([...bridges]));
          if (came.every(({ running }) => !running)) continue;
          const used = here.reduce((sum, { running, memoryBytes }) => sum + (running ? memoryBytes : 0), 0);
          expect(used).toBeLessThanOrEqual(node.memoryBytes - node.reservedBytes);
        }
        for (const rule of snapshot.rules.filter(({ required }) => required)) {
          for (const vmid of rule.guests.filter((guest) => to.has(guest))) {
            const others = rule.guests.filter((other) => other !== vmid).flatMap((other) => where.get(other) ?? []);
            if (rule.kind === 'apart') expect(others).not.toContain(where.get(vmid));
            if (rule.kind === 'together' && rule.guests.every((other) => to.has(other))) expect(new Set(others)).toEqual(new Set([where.get(vmid)]));
            if (rule.kind === 'nodes') expect(rule.nodes).toContain(where.get(vmid));
          }
        }
      }),
      { numRuns: 150 },
    );
    expect(count).toBeGreaterThan(100);
  });

  test('go the same way each time that is asked', () => {
    fc.assert(
      fc.property(randomClusters, (before) => {
        const { snapshot, guests } = fallen(before);
        expect(placeAll(snapshot, [...guests].reverse())).toEqual(placeAll(snapshot, guests));
      }),
      { numRuns: 50 },
    );
  });

  const cluster = randomCluster({ seed: 3, nodes: 3, guests: 3, rules: 0, full: 0.1 });
  const plain: ClusterSnapshot = { ...cluster, guests: [], nodes: cluster.nodes.map((node) => ({ ...node, state: 'online' })) };
  const small = (vmid: number, more: Partial<LostGuest> = {}): Recoverable => ({
    guest: {
      vmid: parseVmid(vmid),
      kind: 'qemu',
      name: 'small',
      wanted: 'running',
      newest: { generation: parseGeneration(1), owner: LOST },
      storage: 'shared',
      memoryBytes: 2 ** 30,
      cores: 1,
      bridges: [],
      storages: ['shared'],
      startOrder: null,
      ...more,
    },
    seenBy: [parseNodeName('node2'), parseNodeName('node3')],
  });
  const wish = { pinned: false, priority: 0, whenNotLive: 'skip' } as const;

  test('come by priority, then by their start order, then by number', () => {
    const guests = [small(103), small(102, { startOrder: 2 }), small(101, { startOrder: 3 }), small(104)];
    const placement = { ...NO_PLACEMENT, guests: new Map([[parseVmid(104), { ...wish, priority: 5 }]]) };
    expect(placeAll(plain, guests, placement).order).toEqual([104, 102, 101, 103]);
  });

  test('have one turn when nothing tells which starts first, and one alone when a rule ties them to another guest', () => {
    const rules = [
      { kind: 'apart' as const, id: 'pair', guests: [101, 102].map(parseVmid), required: true },
      { kind: 'nodes' as const, id: 'here', guests: [parseVmid(103)], nodes: [parseNodeName('node2')], required: true },
    ];
    const turnOf = (guest: Recoverable, placement: Placement = NO_PLACEMENT) =>
      placeNextLost({ ...plain, rules }, { lost: LOST, guests: [guest], placed: [] }, placement).turn;
    expect(turnOf(small(101))).toBeUndefined();
    expect(turnOf(small(103))).toBe(turnOf(small(104)));
    expect(turnOf(small(104, { startOrder: 1 }))).not.toBe(turnOf(small(104)));
    expect(turnOf(small(104), { ...NO_PLACEMENT, guests: new Map([[parseVmid(104), { ...wish, priority: 5 }]]) })).not.toBe(turnOf(small(104)));
  });

  test('start on one node when a rule keeps them together', () => {
    const rules = [{ kind: 'together' as const, id: 'pair', guests: [101, 102].map(parseVmid), required: true }];
    const { to } = placeAll({ ...plain, rules }, [small(101), small(102), small(103, { memoryBytes: 2 ** 32 })]);
    expect([to.get(101), to.size]).toEqual([to.get(102), 3]);
  });

  test('may use the room that is kept for a node that fails', () => {
    const full = { ...plain, survivesOneNode: true, nodes: plain.nodes.slice(0, 2) };
    expect(placeAll(full, [small(101)]).to.get(101)).toBe('node2');
  });

  test('stay when they are pinned, when nobody sees their storage, and when there is no room, with the reason', () => {
    const ask = (guest: Recoverable, placement: Placement = NO_PLACEMENT) => placeNextLost(plain, { lost: LOST, guests: [guest], placed: [] }, placement);
    expect(ask(small(101), { ...NO_PLACEMENT, guests: new Map([[parseVmid(101), { ...wish, pinned: true }]]) })).toMatchObject({
      targets: [],
      reason: 'it is pinned to its node',
    });
    expect(ask({ ...small(101), seenBy: [] })).toMatchObject({ targets: [], reason: expect.stringContaining('node2: it does not see its storage') });
    expect(ask(small(101, { memoryBytes: 2 ** 50 }))).toMatchObject({ targets: [], reason: expect.stringMatching(/node2: .*of memory don't fit/) });
  });
});
