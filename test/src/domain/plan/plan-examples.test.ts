import { describe, expect, test } from 'vitest';
import { parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { place } from '../../../../src/domain/plan/place.js';
import { planBalance } from '../../../../src/domain/plan/plan-balance.js';
import { planEvacuation } from '../../../../src/domain/plan/plan-evacuation.js';
import { planRestore } from '../../../../src/domain/plan/plan-restore.js';
import type { Plan } from '../../../../src/domain/plan/plan.js';
import type { ClusterSnapshot, GuestRule, SnapshotGuest, SnapshotNode } from '../../../../src/domain/plan/snapshot.js';

const [n1, n2, n3] = [parseNodeName('node1'), parseNodeName('node2'), parseNodeName('node3')];

/** A node of 10 bytes of memory: small numbers are easier to follow. */
const node = (name: string, changes: Partial<SnapshotNode> = {}): SnapshotNode => ({
  name: parseNodeName(name),
  state: 'online',
  cores: 10,
  speed: 1,
  accelerator: 'kvm',
  cpuFlags: ['avx'],
  memoryBytes: 10,
  reservedBytes: 0,
  qemu: '7.2',
  machineTypes: ['pc-q35-7.2'],
  bridges: ['vmbr0'],
  storages: [
    { id: 'shared', identity: 'one', freeBytes: 100 },
    { id: 'local', identity: null, freeBytes: 100 },
  ],
  ...changes,
});

const guest = (vmid: number, on: string, changes: Partial<SnapshotGuest> = {}): SnapshotGuest => ({
  vmid: parseVmid(vmid),
  kind: 'qemu',
  node: parseNodeName(on),
  running: true,
  memoryBytes: 4,
  cores: 1,
  cpuLoad: 0,
  disks: [{ storage: 'shared', bytes: 5 }],
  bridges: ['vmbr0'],
  cpuFlags: [],
  machineType: 'pc-q35-7.2',
  localDevices: [],
  pinned: false,
  priority: 0,
  whenNotLive: 'skip',
  home: null,
  ...changes,
});

const cluster = (guests: readonly SnapshotGuest[], changes: Partial<ClusterSnapshot> = {}): ClusterSnapshot => ({
  v: 1,
  takenAt: '',
  nodes: [node('node1'), node('node2'), node('node3')],
  guests,
  rules: [],
  survivesOneNode: false,
  ...changes,
});
const rule = (kind: 'together' | 'apart', ...vmids: number[]): GuestRule => ({ kind, id: kind, guests: vmids.map((vmid) => parseVmid(vmid)), required: true });
const shortly = ({ moves }: Plan): readonly string[] =>
  moves.map(({ vmid, from, to, way, after }) => `${vmid} ${from}>${to} ${way}${after.length > 0 ? ` after ${after.join()}` : ''}`);

describe('planEvacuation()', () => {
  test('sends the important and the large first, each to the node that is least full with it', () => {
    const guests = [guest(101, 'node1', { memoryBytes: 2 }), guest(102, 'node1', { memoryBytes: 3 }), guest(103, 'node1', { memoryBytes: 1, priority: 9 })];
    expect(shortly(planEvacuation(cluster(guests), [n1]))).toEqual(['103 node1>node2 live', '102 node1>node3 live', '101 node1>node2 live']);
  });

  test.each([
    [{ disks: [{ storage: 'local', bytes: 5 }] }, 'its disks are on local of its node'],
    [{ kind: 'lxc' }, 'a container can not move live'],
    [{ localDevices: ['hostpci0'] }, 'it uses hostpci0 of its node'],
  ] as const)('does what the policy says with one that can not move live: %j', (changes, obstacle) => {
    const planFor = (whenNotLive: SnapshotGuest['whenNotLive']) => planEvacuation(cluster([guest(101, 'node1', { ...changes, whenNotLive })]), [n1]);
    expect(planFor('skip').unplanned).toMatchObject([{ vmid: 101, outcome: 'stuck', reason: `${obstacle}; its policy is to leave it` }]);
    expect(planFor('wait').unplanned).toMatchObject([{ outcome: 'wait', reason: `${obstacle}; its policy is to wait` }]);
    expect(planFor('shutdown').unplanned).toMatchObject([{ outcome: 'shut-down', reason: `${obstacle}; its policy is to shut it down` }]);
    const offline = planFor('offline');
    if ('localDevices' in changes) expect(offline.unplanned).toMatchObject([{ outcome: 'stuck', reason: obstacle }]);
    else expect(shortly(offline)).toEqual(['101 node1>node2 restart']);
  });

  test('moves one that is off whatever its policy is, and counts its disks, not its memory', () => {
    const off = guest(101, 'node1', { running: false, kind: 'lxc', memoryBytes: 400, disks: [{ storage: 'local', bytes: 5 }] });
    expect(planEvacuation(cluster([off]), [n1]).moves).toMatchObject([{ to: 'node2', way: 'offline', bytes: 5 }]);
  });

  test('says of every node why it is no choice', () => {
    const nodes = [
      node('node1'),
      node('cordoned', { state: 'cordoned' }),
      node('silent', { state: 'silent' }),
      node('small', { memoryBytes: 3 }),
      node('no-bridge', { bridges: [] }),
      node('no-storage', { storages: [] }),
      node('no-machine', { machineTypes: [] }),
      node('older', { qemu: '7.1' }),
      node('emulating', { accelerator: 'tcg' }),
      node('no-flag', { cpuFlags: [] }),
      node('forbidden'),
    ];
    const only: GuestRule = { kind: 'nodes', id: 'licence', guests: [parseVmid(101)], nodes: [parseNodeName('small')], required: true };
    const plan = planEvacuation(cluster([guest(101, 'node1', { cpuFlags: ['avx'] })], { nodes, rules: [only] }), [n1]);
    expect(plan.moves).toEqual([]);
    expect(Object.fromEntries(plan.unplanned[0]?.rejected.map(({ node: name, reason }) => [name, reason]) ?? [])).toEqual({
      'cordoned': 'it takes no new guests',
      'silent': 'it gives no answer',
      'small': "4 B of memory don't fit, 3 B are free",
      'no-bridge': 'it has no bridge vmbr0',
      'no-storage': 'it has no storage shared',
      'no-machine': 'its QEMU has no machine type pc-q35-7.2',
      'older': 'its QEMU 7.1 is older than 7.2 of node1',
      'emulating': 'it runs guests with tcg, node1 with kvm',
      'no-flag': 'its processor lacks avx',
      'forbidden': 'rule licence allows only small',
    });
  });

  test('looks for space where disks are copied, and counts what earlier copies take', () => {
    const local = { disks: [{ storage: 'local', bytes: 60 }], whenNotLive: 'offline' } as const;
    const guests = [101, 102, 103].map((vmid) => guest(vmid, 'node1', { ...local, memoryBytes: 1 }));
    const plan = planEvacuation(cluster(guests), [n1]);
    expect(shortly(plan)).toEqual(['101 node1>node2 restart', '102 node1>node3 restart']);
    expect(plan.unplanned[0]?.rejected).toEqual([
      { node: 'node2', reason: "60 B of disks don't fit on local, 40 B are free" },
      { node: 'node3', reason: "60 B of disks don't fit on local, 40 B are free" },
    ]);
  });

  test('lets a smaller guest of another node make room, and makes the other wait for it', () => {
    const guests = [guest(101, 'node1', { memoryBytes: 8 }), guest(102, 'node2', { memoryBytes: 3 }), guest(103, 'node3', { memoryBytes: 4 })];
    expect(shortly(planEvacuation(cluster(guests), [n1]))).toEqual(['102 node2>node3 live', '101 node1>node2 live after 0']);
  });

  test('moves nobody to make room who is pinned, more important, or could not stay apart', () => {
    const large = guest(101, 'node1', { memoryBytes: 8 });
    const nodes = [node('node1'), node('node2')];
    for (const changes of [{ pinned: true }, { priority: 1 }]) {
      expect(planEvacuation(cluster([large, guest(102, 'node2', { memoryBytes: 3, ...changes })]), [n1]).moves).toMatchObject([{ vmid: 101, to: 'node3' }]);
      expect(planEvacuation(cluster([large, guest(102, 'node2', { memoryBytes: 3, ...changes })], { nodes }), [n1]).moves).toEqual([]);
    }
  });

  test('sends guests that belong together to one node that has room for all', () => {
    const guests = [guest(101, 'node1'), guest(102, 'node1'), guest(103, 'node2', { memoryBytes: 3 })];
    const plan = planEvacuation(cluster(guests, { rules: [rule('together', 101, 102)] }), [n1]);
    expect(shortly(plan)).toEqual(['101 node1>node3 live', '102 node1>node3 live']);
  });

  test('keeps them together when no node has room for all, and says so', () => {
    const guests = [guest(101, 'node1', { memoryBytes: 6 }), guest(102, 'node1', { memoryBytes: 6 })];
    expect(planEvacuation(cluster(guests, { rules: [rule('together', 101, 102)] }), [n1])).toMatchObject({
      moves: [],
      unplanned: [{ reason: 'no node can take it together with guest 102' }, { reason: 'no node can take it together with guest 101' }],
    });
  });

  test('sends one after those of its group that are elsewhere already', () => {
    const guests = [guest(101, 'node1'), guest(102, 'node3')];
    expect(shortly(planEvacuation(cluster(guests, { rules: [rule('together', 101, 102)] }), [n1]))).toEqual(['101 node1>node3 live']);
  });

  test('keeps replicas apart, and prefers a wish where it can be had', () => {
    const guests = [guest(101, 'node1'), guest(102, 'node2')];
    expect(shortly(planEvacuation(cluster(guests, { rules: [rule('apart', 101, 102)] }), [n1]))).toEqual(['101 node1>node3 live']);
    const wish = { ...rule('together', 101, 103), required: false };
    const withCompany = cluster([guest(101, 'node1', { memoryBytes: 1 }), guest(103, 'node3', { memoryBytes: 2 })], { rules: [wish] });
    expect(planEvacuation(withCompany, [n1]).moves).toMatchObject([{ vmid: 101, to: 'node3' }]);
  });

  test('leaves the rest of two rules that contradict each other', () => {
    const rules = [rule('together', 101, 102), rule('apart', 101, 102)];
    expect(planEvacuation(cluster([guest(101, 'node1'), guest(102, 'node1')], { rules }), [n1])).toMatchObject({
      moves: [{ vmid: 101, to: 'node2' }],
      unplanned: [{ vmid: 102, reason: 'rule apart keeps it apart from guest 101, which is there' }],
    });
  });

  test('leaves room for the guests of a node that fails, where that is wanted', () => {
    const guests = [guest(101, 'node1', { memoryBytes: 6 }), guest(102, 'node2', { memoryBytes: 6 })];
    expect(planEvacuation(cluster(guests), [n1]).moves).toHaveLength(1);
    const careful = planEvacuation(cluster(guests, { survivesOneNode: true }), [n1]);
    expect(careful.moves).toEqual([]);
    expect(careful.unplanned[0]?.rejected).toContainEqual({
      node: 'node3',
      reason: '8 B would be free on all nodes, too little for the guests of a node that fails',
    });
  });

  test('moves nothing from a node that is silent: nobody knows what runs there', () => {
    const nodes = [node('node1', { state: 'silent' }), node('node2')];
    expect(planEvacuation(cluster([guest(101, 'node1')], { nodes }), [n1]).unplanned).toMatchObject([{ outcome: 'stuck', reason: 'node1 gives no answer' }]);
  });

  test.each([
    ['a node that is not there', () => planEvacuation(cluster([]), [parseNodeName('node9')]), /no node "node9", it has node1, node2, node3/],
    ['a guest on a node that is not there', () => planEvacuation(cluster([guest(101, 'node9')]), [n1]), /no node "node9"/],
    ['a guest twice', () => planEvacuation(cluster([guest(101, 'node1'), guest(101, 'node2')]), [n1]), /guest 101 is in the snapshot twice/],
    ['a node twice', () => planEvacuation(cluster([], { nodes: [node('node1'), node('node1')] }), [n1]), /node node1 is in the snapshot twice/],
  ])('refuses %s', (_, plan, text) => {
    expect(plan).toThrow(text);
  });
});

describe('planRestore()', () => {
  test('brings home who belongs there, and nobody else', () => {
    const guests = [guest(101, 'node2', { home: n1 }), guest(102, 'node2'), guest(103, 'node3', { home: n2 })];
    expect(shortly(planRestore(cluster(guests), [n1]))).toEqual(['101 node2>node1 live']);
  });

  test('lets guests change places on full nodes by parking the smaller one', () => {
    const guests = [guest(101, 'node1', { memoryBytes: 8, home: n2 }), guest(102, 'node2', { memoryBytes: 7, home: n1 })];
    expect(shortly(planRestore(cluster(guests), [n1, n2]))).toEqual(['102 node2>node3 live', '101 node1>node2 live after 0', '102 node3>node1 live after 0,1']);
  });

  test('parks a replica that would meet the other one on its way', () => {
    const guests = [guest(101, 'node1', { home: n2 }), guest(102, 'node2', { home: n1 })];
    expect(shortly(planRestore(cluster(guests, { rules: [rule('apart', 101, 102)] }), [n1, n2]))).toEqual([
      '101 node1>node3 live',
      '102 node2>node1 live after 0',
      '101 node3>node2 live after 0,1',
    ]);
  });

  test('leaves both where they are when there is no place to park one, with the reason', () => {
    const guests = [guest(101, 'node1', { memoryBytes: 8, home: n2 }), guest(102, 'node2', { memoryBytes: 7, home: n1 })];
    expect(planRestore(cluster(guests, { nodes: [node('node1'), node('node2')] }), [n1, n2])).toMatchObject({
      moves: [],
      unplanned: [{ vmid: 101, reason: "it can't come to node2: 8 B of memory don't fit, 3 B are free" }, { vmid: 102 }],
    });
  });

  test('parks nobody who would have to be stopped for it', () => {
    const local = { disks: [{ storage: 'local', bytes: 1 }], whenNotLive: 'offline' } as const;
    const guests = [guest(101, 'node1', { ...local, memoryBytes: 8, home: n2 }), guest(102, 'node2', { ...local, memoryBytes: 7, home: n1 })];
    expect(planRestore(cluster(guests), [n1, n2]).moves).toEqual([]);
  });
});

describe('planBalance()', () => {
  test('moves from the fullest node what evens out most, and says why', () => {
    const guests = [guest(101, 'node1', { memoryBytes: 4 }), guest(102, 'node1', { memoryBytes: 4 }), guest(103, 'node2', { memoryBytes: 1 })];
    const plan = planBalance(cluster(guests));
    expect(plan.moves).toMatchObject([{ vmid: 101, to: 'node3', reason: 'node1 is 80 % full, node3 0 %' }]);
    expect(plan.nodes).toEqual([
      { node: 'node1', before: 0.8, after: 0.4 },
      { node: 'node2', before: 0.1, after: 0.1 },
      { node: 'node3', before: 0, after: 0.4 },
    ]);
  });

  test('counts processors as well, by their speed', () => {
    const guests = [101, 102].map((vmid) => guest(vmid, 'node1', { memoryBytes: 1, cpuLoad: 4 }));
    const nodes = [node('node1'), node('node2', { cores: 4 }), node('node3', { cores: 4, speed: 2 })];
    expect(planBalance(cluster(guests, { nodes })).moves).toMatchObject([{ to: 'node3' }]);
  });

  test('does nothing while all are near the mean, and never stops a guest for it', () => {
    expect(planBalance(cluster([guest(101, 'node1', { memoryBytes: 1 })])).moves).toEqual([]);
    const containers = [101, 102].map((vmid) => guest(vmid, 'node1', { kind: 'lxc', whenNotLive: 'offline' }));
    expect(planBalance(cluster(containers)).moves).toEqual([]);
  });

  test('keeps to its limit of moves', () => {
    const guests = Array.from({ length: 8 }, (_, at) => guest(101 + at, 'node1', { memoryBytes: 1 }));
    expect(planBalance(cluster(guests), { maxMoves: 2, tolerance: 0, minGain: 0.001 }).moves).toHaveLength(2);
  });
});

describe('place()', () => {
  test('ranks the nodes, names the present one, and says why others are no choice', () => {
    const nodes = [node('node1'), node('node2', { speed: 2 }), node('node3', { bridges: [] })];
    const placement = place(cluster([guest(101, 'node1', { cpuLoad: 0 })], { nodes }), parseVmid(101));
    expect(placement.now).toEqual({ node: n1, points: 0.4, reason: '40 % full with it' });
    expect(placement.choices).toMatchObject([{ node: n2, reason: '40 % full with it, cores of 2 times the usual speed' }]);
    expect(placement.choices[0]?.points).toBeCloseTo(0.3);
    expect(placement.rejected).toEqual([{ node: n3, reason: 'it has no bridge vmbr0' }]);
    expect(placement.stays).toBeNull();
  });

  test('says when a guest would not be moved at all', () => {
    expect(place(cluster([guest(101, 'node1', { pinned: true })]), parseVmid(101)).stays).toBe('it is pinned to its node');
  });
});
