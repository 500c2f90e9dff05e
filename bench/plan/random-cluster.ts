/** Clusters of chance, the same for the same seed: for the benchmark and the properties of the planner. */
import { Random } from '../../lab/random.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import type { ClusterSnapshot, GuestRule, SnapshotGuest, SnapshotNode } from '../../src/domain/plan/snapshot.js';

const GIB = 2 ** 30;

export interface ClusterShape {
  readonly seed: number;
  readonly nodes: number;
  readonly guests: number;
  /** Rules of each kind; none is broken at the start. */
  readonly rules: number;
  /** Share of all memory that guests have, 0 to 1. */
  readonly full: number;
  readonly survivesOneNode?: boolean;
}

/** Makes a cluster in which no node has more than it can hold: shared and local disks, containers, guests that are off, pinned, or away from home. */
export function randomCluster({ seed, nodes: nodeCount, guests: guestCount, rules: ruleCount, full, survivesOneNode = false }: ClusterShape): ClusterSnapshot {
  const random = new Random(seed);
  const nodes = Array.from({ length: nodeCount }, (_, at): SnapshotNode => {
    const memoryBytes = random.pick([64, 128, 256]) * GIB;
    return {
      name: parseNodeName(`node${at + 1}`),
      state: random.next() < 0.05 ? 'cordoned' : 'online',
      cores: random.pick([16, 32]),
      speed: random.pick([1, 1, 1.5]),
      accelerator: 'kvm',
      cpuFlags: random.next() < 0.7 ? ['sse2', 'avx', 'avx512'] : ['sse2', 'avx'],
      memoryBytes,
      reservedBytes: memoryBytes / 16,
      qemu: random.pick(['7.2.22', '7.2.22', '9.0.1']),
      machineTypes: ['pc-q35-7.2'],
      bridges: random.next() < 0.9 ? ['vmbr0', 'vmbr1'] : ['vmbr0'],
      storages: [
        { id: 'shared', identity: 'one', freeBytes: 1e13 },
        { id: 'local', identity: null, freeBytes: 500 * GIB },
      ],
    };
  });
  const capacity = nodes.reduce((sum, { memoryBytes, reservedBytes }) => sum + memoryBytes - reservedBytes, 0);
  const usual = (capacity * full) / guestCount;
  const free = new Map(nodes.map(({ name, memoryBytes, reservedBytes }) => [name, memoryBytes - reservedBytes]));
  const guests = Array.from({ length: guestCount }, (_, at): SnapshotGuest => {
    const wanted = Math.floor(usual * (0.25 + 1.5 * random.next()));
    const roomy = nodes.filter(({ name }) => (free.get(name) ?? 0) >= wanted);
    const running = roomy.length > 0 && random.next() < 0.9;
    const { name } = random.pick(running ? roomy : nodes);
    if (running) free.set(name, (free.get(name) ?? 0) - wanted);
    return {
      vmid: parseVmid(100 + at),
      kind: random.next() < 0.1 ? 'lxc' : 'qemu',
      node: name,
      running,
      memoryBytes: wanted,
      cores: 2,
      cpuLoad: random.next() * 0.5,
      disks: [{ storage: random.next() < 0.85 ? 'shared' : 'local', bytes: 10 * GIB }],
      bridges: random.next() < 0.2 ? ['vmbr0', 'vmbr1'] : ['vmbr0'],
      cpuFlags: random.next() < 0.2 ? ['avx512'] : [],
      machineType: 'pc-q35-7.2',
      localDevices: random.next() < 0.02 ? ['hostpci0'] : [],
      pinned: random.next() < 0.02,
      priority: random.pick([0, 0, 0, 1, 5]),
      whenNotLive: random.pick(['offline', 'offline', 'shutdown', 'skip', 'wait'] as const),
      home: random.next() < 0.3 ? random.pick(nodes).name : null,
    };
  });
  return { v: 1, takenAt: '', nodes, guests, rules: randomRules({ guests, nodes, count: ruleCount, random }), survivesOneNode };
}

interface RuleSource {
  readonly guests: readonly SnapshotGuest[];
  readonly nodes: readonly SnapshotNode[];
  readonly count: number;
  readonly random: Random;
}

function randomRules({ guests, nodes, count, random }: RuleSource): readonly GuestRule[] {
  return Array.from({ length: count }).flatMap((_, at): readonly GuestRule[] => {
    const one = random.pick(guests);
    const neighbours = guests.filter(({ node, vmid }) => node === one.node && vmid !== one.vmid);
    const strangers = guests.filter(({ node }) => node !== one.node);
    const required = random.next() < 0.7;
    return [
      ...(neighbours.length === 0 ? [] : [{ kind: 'together' as const, id: `together${at}`, guests: [one.vmid, random.pick(neighbours).vmid], required }]),
      ...(strangers.length === 0 ? [] : [{ kind: 'apart' as const, id: `apart${at}`, guests: [one.vmid, random.pick(strangers).vmid], required }]),
      {
        kind: 'nodes' as const,
        id: `nodes${at}`,
        guests: [random.pick(strangers.length === 0 ? guests : strangers)].map(({ vmid }) => vmid),
        nodes: nodesOf(),
        required,
      },
    ];
  });

  function nodesOf(): readonly SnapshotNode['name'][] {
    return nodes.filter(() => random.next() < 0.8).map(({ name }) => name);
  }
}
