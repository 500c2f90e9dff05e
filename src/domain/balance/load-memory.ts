/**
 * How busy guests and nodes were: means in which what is past fades, so that one busy minute moves nobody. Pure and plain JSON; what is kept of a guest
 * are some ten bytes.
 */
import type { NodeName, Vmid } from '../ids.js';
import { capacityOf } from '../plan/cluster-state.js';
import type { ClusterSnapshot, SnapshotGuest, SnapshotNode } from '../plan/snapshot.js';

export interface LoadMemory {
  /** The first sample and the newest one, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly atMs: number;
  readonly nodes: readonly NodeMemory[];
}

export interface NodeMemory {
  readonly node: NodeName;
  /** Share of the time in which something waited for memory, 0 to 1. */
  readonly memoryPressure: number;
  /** Cores of a usual node that each of its guests wanted. */
  readonly loads: readonly (readonly [Vmid, number])[];
}

/** Samples that come sooner are left out: pressure is itself the mean of a minute. */
export const SHORTEST_SAMPLE_MS = 60_000;
/** No sample counts for more, however long nobody looked. */
const MOST_SHARE = 0.5;
/** Pressure tells that somebody waited, not for how much: on a node where somebody always waits, guests are taken to want half as much again as they get, */
const CPU_PRESSURE_WORTH = 0.5;
/** and a quarter of its memory for guests to be missing. */
const MEMORY_PRESSURE_WORTH = 0.25;

/** Takes a sample in. `fadeMs`: what happened so long ago counts for a third. A guest that is new is as it is now. */
export function remember(memory: LoadMemory | null, snapshot: ClusterSnapshot, { nowMs, fadeMs }: { nowMs: number; fadeMs: number }): LoadMemory {
  if (memory !== null && nowMs - memory.atMs < SHORTEST_SAMPLE_MS) return memory;
  const spanMs = memory === null ? 0 : nowMs - memory.atMs;
  const usual = memory === null ? 1 : Math.max(spanMs / (nowMs - memory.sinceMs), 1 - Math.exp(-spanMs / fadeMs));
  const share = Math.min(usual, MOST_SHARE);
  const before = loadsOf(memory);
  const faded = (old: number | undefined, now: number): number => rounded(old === undefined ? now : old + share * (now - old));
  const seen = new Set(snapshot.guests.map(({ vmid }) => vmid));
  return {
    sinceMs: memory?.sinceMs ?? nowMs,
    atMs: nowMs,
    nodes: snapshot.nodes.map((node) => {
      const known = memory?.nodes.find((each) => each.node === node.name);
      const here = snapshot.guests.filter((guest) => guest.node === node.name);
      // A silent node tells nothing new of itself; what it had before may come back.
      const gone = node.state === 'silent' ? (known?.loads ?? []).filter(([vmid]) => !seen.has(vmid)) : [];
      return {
        node: node.name,
        memoryPressure: node.state === 'silent' ? (known?.memoryPressure ?? 0) : faded(known?.memoryPressure, (node.pressure?.memory ?? 0) / 100),
        loads: [...here.map((guest): readonly [Vmid, number] => [guest.vmid, faded(before.get(guest.vmid), wantedLoad(guest, node))]), ...gone],
      };
    }),
  };
}

/** The cluster with the loads of the memory in place of those of the moment. Never makes room that is not there. */
export function asRemembered(snapshot: ClusterSnapshot, memory: LoadMemory): ClusterSnapshot {
  const loads = loadsOf(memory);
  const nodes = new Map(snapshot.nodes.map((node) => [node.name, node]));
  const pressures = new Map(memory.nodes.map(({ node, memoryPressure }) => [node, memoryPressure]));
  return {
    ...snapshot,
    nodes: snapshot.nodes.map((node) => ({
      ...node,
      reservedBytes: node.reservedBytes + Math.round(capacityOf(node) * MEMORY_PRESSURE_WORTH * (pressures.get(node.name) ?? 0)),
    })),
    guests: snapshot.guests.map((guest) => ({ ...guest, cpuLoad: loads.get(guest.vmid) ?? wantedLoad(guest, nodes.get(guest.node)) })),
  };
}

/** The cluster as it is at this moment, with pressure counted in: for who asks once. */
export function asNow(snapshot: ClusterSnapshot): ClusterSnapshot {
  return asRemembered(snapshot, remember(null, snapshot, { nowMs: 0, fadeMs: 1 }));
}

/** Where each guest was at the newest sample. */
export function placesOf(memory: LoadMemory): ReadonlyMap<Vmid, NodeName> {
  return new Map(memory.nodes.flatMap(({ node, loads }) => loads.map(([vmid]): [Vmid, NodeName] => [vmid, node])));
}

function loadsOf(memory: LoadMemory | null): ReadonlyMap<Vmid, number> {
  return new Map((memory?.nodes ?? []).flatMap(({ loads }) => loads));
}

function wantedLoad({ running, cpuLoad }: SnapshotGuest, node: SnapshotNode | undefined): number {
  return running ? cpuLoad * (1 + (CPU_PRESSURE_WORTH * (node?.pressure?.cpu ?? 0)) / 100) : 0;
}

const rounded = (value: number): number => Math.round(value * 1_000) / 1_000;
