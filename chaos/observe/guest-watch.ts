/** One guest seen from outside, whatever its kind: where it runs, when, and whether it ever ran twice. */
import { ContainerWatch } from '../../lab/observe/container-watch.js';
import { RunnerSampler } from '../../lab/observe/runner-sampler.js';
import type { LabState } from '../../lab/lab-state.js';

/** A time in which a node ran the guest; `toMs` is null while it does. */
export interface RunSpan {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number | null;
}

export interface GuestWatch {
  /** Times in which it ran on two nodes, in words. Empty is the law. */
  doubles(): readonly string[];
  /** Copies that could not be watched, in words. */
  unwatched(): readonly string[];
  runningOn(): readonly string[];
  spans(): readonly RunSpan[];
  /** What the newest QEMU on a node has said of its streams, in order; none of a container. */
  streamStatuses(node: string): readonly string[];
  close(): void;
}

const SAMPLE_EVERY_MS = 25;

/** Begins to watch a virtual machine over its observer sockets, or a container over its cgroups. */
export function watchGuest({ vmid, isContainer }: { readonly vmid: number; readonly isContainer: boolean }, lab: () => LabState): GuestWatch {
  return isContainer ? containerWatch(new ContainerWatch(vmid, lab)) : machineWatch(new RunnerSampler(vmid, lab, { everyMs: SAMPLE_EVERY_MS }));
}

function machineWatch(sampler: RunnerSampler): GuestWatch {
  return {
    doubles: () => sampler.report().doubles.map(({ nodes, lengthMs, fromMs }) => `ran on ${nodes} for ${lengthMs.toFixed(1)} ms from ${clock(fromMs)}`),
    unwatched: () => sampler.report().unwatched.map((process) => `a copy without an observer on ${process}`),
    runningOn: () => sampler.report().runningOn,
    spans: () => sampler.report().spans,
    streamStatuses: (node) => sampler.migrationStatuses(node),
    close: () => sampler.close(),
  };
}

function containerWatch(watch: ContainerWatch): GuestWatch {
  return {
    doubles: () => watch.doubles.slice(0, 1).map(({ nodes, fromMs }) => `processes on ${nodes} in ${watch.doubles.length} looks from ${clock(fromMs)}`),
    unwatched: () => [],
    runningOn: () => watch.runningOn,
    spans: () => watch.spans.map((span) => (watch.runningOn.includes(span.node) && isLast(watch, span) ? { ...span, toMs: null } : span)),
    streamStatuses: () => [],
    close: () => watch.close(),
  };
}

const isLast = (watch: ContainerWatch, span: { readonly node: string; readonly fromMs: number }): boolean =>
  watch.spans.findLast(({ node }) => node === span.node)?.fromMs === span.fromMs;

const clock = (atMs: number): string => new Date(atMs).toISOString().slice(11, 23);
