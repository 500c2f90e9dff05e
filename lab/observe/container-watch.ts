import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LabState, Machine } from '../lab-state.js';
import { identify } from '../processes.js';

const SAMPLE_EVERY_MS = 40;

/** A time in which processes of the container were seen on one node; `toMs` is the last look that saw them. */
export interface ContainerSpan {
  readonly node: string;
  readonly fromMs: number;
  readonly toMs: number;
}

/**
 * Looks for the processes of one container on all nodes of a lab, from outside: in the nodes' own cgroups, nothing that Kedge or LXC says.
 * Two nodes with processes in one look are two runners.
 */
export class ContainerWatch {
  readonly #vmid: number;
  readonly #lab: () => LabState;
  readonly #spans: { node: string; fromMs: number; toMs: number }[] = [];
  readonly #doubles: { readonly nodes: string; readonly fromMs: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #runningOn: readonly string[] = [];

  /** Begins at once. `lab` answers the lab as it is now. */
  constructor(vmid: number, lab: () => LabState, { everyMs = SAMPLE_EVERY_MS }: { readonly everyMs?: number } = {}) {
    this.#vmid = vmid;
    this.#lab = lab;
    this.#sample();
    this.#timer = setInterval(() => this.#sample(), everyMs);
  }

  /** Looks that saw processes on two nodes. */
  get doubles(): readonly { readonly nodes: string; readonly fromMs: number }[] {
    return this.#doubles;
  }

  get spans(): readonly ContainerSpan[] {
    return this.#spans;
  }

  /** Nodes that had processes of it in the last look. */
  get runningOn(): readonly string[] {
    return this.#runningOn;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #sample(): void {
    const atMs = Date.now();
    const nodes = this.#lab().machines.filter(({ role, init }) => role === 'node' && init !== null);
    const running = nodes.filter((machine) => hasProcesses(machine, this.#vmid)).map(({ name }) => name);
    for (const node of running) {
      const span = this.#spans.findLast((each) => each.node === node);
      if (span !== undefined && this.#runningOn.includes(node)) span.toMs = atMs;
      else this.#spans.push({ node, fromMs: atMs, toMs: atMs });
    }
    if (running.length > 1) this.#doubles.push({ nodes: running.join('+'), fromMs: atMs });
    this.#runningOn = running;
  }
}

/** Has any living process of the container a place in a group of this machine? One hierarchy is enough: a process is in all of them. */
function hasProcesses({ cgroups }: Machine, vmid: number): boolean {
  const [group] = cgroups;
  if (group === undefined) return false;
  const payloads = listFolders(group).filter((name) => name.startsWith('lxc.payload.') && name.endsWith(`.${vmid}`));
  return payloads.some((name) => pidsBelow(join(group, name)).some((pid) => identify(pid) !== undefined));
}

function pidsBelow(folder: string): number[] {
  const own = readLines(join(folder, 'cgroup.procs')).map(Number);
  return [...own, ...listFolders(folder).flatMap((name) => pidsBelow(join(folder, name)))];
}

function listFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    // Gone between two looks.
    return [];
  }
}

function readLines(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').filter(Boolean);
  } catch {
    return [];
  }
}
