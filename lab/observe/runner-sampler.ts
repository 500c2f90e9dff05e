import { existsSync, readdirSync, readlinkSync } from 'node:fs';
import type { LabState } from '../lab-state.js';
import { commandOf } from '../processes.js';
import { insidePath } from '../status.js';
import { ObserverMonitor, type RunningSpan } from './observer-monitor.js';

/** One running span of one copy. */
export interface RunnerSpan extends RunningSpan {
  readonly node: string;
}

export interface RunnerReport {
  /** Times in which two copies ran at once, each with its length; empty is the law. */
  readonly doubles: readonly { readonly nodes: string; readonly fromMs: number; readonly lengthMs: number }[];
  readonly spans: readonly RunnerSpan[];
  /** Longest time between two running spans, in milliseconds. */
  readonly longestPauseMs: number;
  /** Nodes whose copy runs now. */
  readonly runningOn: readonly string[];
  /** QEMU processes of this guest that were seen in /proc twice and could not be watched: the report says nothing about them. */
  readonly unwatched: readonly string[];
  readonly samples: number;
}

const SAMPLE_EVERY_MS = 20;
/** A look through /proc costs milliseconds; the sockets are looked at in every sample. */
const SCAN_EVERY_SAMPLES = 12;
/** QEMU opens its sockets before it runs anything, and on a busy machine that takes its time: only a copy that has none for longer would run unseen. */
const UNWATCHED_MS = 2_000;

interface Watched {
  readonly node: string;
  readonly monitor: ObserverMonitor;
}

/**
 * Counts the running copies of one guest on all nodes of a lab, from outside the product: observer sockets and /proc, nothing
 * that Kedge says. Running spans come from QEMU's own events, so that an overlap between two samples is seen too.
 */
export class RunnerSampler {
  readonly #vmid: number;
  readonly #lab: () => LabState;
  readonly #watched: Watched[] = [];
  readonly #unwatched = new Map<string, { readonly sinceMs: number; forMs: number }>();
  readonly #timer: NodeJS.Timeout;
  #samples = 0;

  /** `lab` answers the lab as it is now: a power cut gives a node new namespaces. `everyMs`: between two looks at the sockets. */
  constructor(vmid: number, lab: () => LabState, { everyMs = SAMPLE_EVERY_MS }: { readonly everyMs?: number } = {}) {
    this.#vmid = vmid;
    this.#lab = lab;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), everyMs);
  }

  /** The report so far; sampling goes on. */
  report(): RunnerReport {
    const spans = this.#watched
      .flatMap(({ node, monitor }) => monitor.spans.map((span): RunnerSpan => ({ node, ...span })))
      .sort((one, other) => one.fromMs - other.fromMs);
    return {
      doubles: overlaps(spans),
      spans,
      longestPauseMs: longestPause(spans),
      runningOn: this.#watched.filter(({ monitor }) => monitor.isRunning).map(({ node }) => node),
      unwatched: [...this.#unwatched].flatMap(([process, { forMs }]) => (forMs >= UNWATCHED_MS ? [process] : [])),
      samples: this.#samples,
    };
  }

  /** What the newest QEMU on this node has said of its migration streams, in order; a socket that nobody listens on any more is none. */
  migrationStatuses(node: string): readonly string[] {
    return this.#watched.findLast((watched) => watched.node === node && watched.monitor.isReady)?.monitor.migrationStatuses ?? [];
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { monitor } of this.#watched) monitor.close();
  }

  #sample(): void {
    this.#samples += 1;
    const inits = this.#lab().machines.flatMap(({ name, role, init }) => (role === 'node' && init !== null ? [{ name, init }] : []));
    for (const { name, init } of inits) {
      if (this.#watched.some(({ node, monitor }) => node === name && !monitor.isClosed)) continue;
      const socket = insidePath(init, `/run/kedge/qemu/${this.#vmid}/observer.qmp`);
      if (existsSync(socket)) this.#watched.push({ node: name, monitor: new ObserverMonitor(socket) });
    }
    for (const { monitor } of this.#watched) monitor.poll();
    if (this.#samples % SCAN_EVERY_SAMPLES === 0) this.#scan(inits.map(({ name, init }) => ({ name, namespace: pidNamespace(init.pid) })));
  }

  /** Compares the process table with what is watched: a copy without an observer would run unseen. */
  #scan(nodes: readonly { name: string; namespace: string | null }[]): void {
    const found = readdirSync('/proc')
      .filter((name) => /^[0-9]+$/.test(name))
      .map(Number)
      .filter((pid) => isCopyOf(pid, this.#vmid));
    for (const { name, namespace } of nodes) {
      const here = found.filter((pid) => pidNamespace(pid) === namespace);
      const watched = this.#watched.filter(({ node, monitor }) => node === name && monitor.isReady && !monitor.isClosed).length;
      for (const pid of here.slice(watched)) {
        const key = `${name}: pid ${pid}`;
        const seen = this.#unwatched.get(key) ?? { sinceMs: performance.now(), forMs: 0 };
        seen.forMs = performance.now() - seen.sinceMs;
        this.#unwatched.set(key, seen);
      }
    }
  }
}

/** Does this process hold a copy of the guest? By its command line alone: a copy need not keep Kedge's files. */
function isCopyOf(pid: number, vmid: number): boolean {
  const command = commandOf(pid);
  return (command[0] ?? '').includes('qemu-system') && command.some((word) => word.startsWith(`${vmid}-`) || word.includes(`/qemu/${vmid}/`));
}

function pidNamespace(pid: number): string | null {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return null;
  }
}

function overlaps(spans: readonly RunnerSpan[]): RunnerReport['doubles'] {
  return spans.flatMap((one, index) =>
    spans.slice(index + 1).flatMap((other) => {
      const fromMs = Math.max(one.fromMs, other.fromMs);
      const lengthMs = Math.min(one.toMs ?? Date.now(), other.toMs ?? Date.now()) - fromMs;
      return lengthMs > 0 ? [{ nodes: `${one.node}+${other.node}`, fromMs, lengthMs }] : [];
    }),
  );
}

function longestPause(spans: readonly RunnerSpan[]): number {
  return Math.max(0, ...spans.slice(1).map((span, index) => span.fromMs - (spans[index]?.toMs ?? span.fromMs)));
}
