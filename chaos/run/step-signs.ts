import { readFileSync } from 'node:fs';
import { assertNever } from '../../src/domain/assert-never.js';
import type { GuestWatch } from '../observe/guest-watch.js';
import type { StepMark } from '../plan/round-plan.js';
import type { ChaosLab } from './chaos-lab.js';

/** From where a guest moves, and where to. */
export interface Route {
  readonly source: string;
  readonly target: string;
}

/** Tells how far a migration is by what lies on the nodes' disks and what QEMU says: good enough to aim a fault, and no judgement. */
export class StepSigns {
  readonly #lab: ChaosLab;
  readonly #vmid: number;
  readonly #route: Route;
  readonly #watch: GuestWatch;

  constructor(lab: ChaosLab, { vmid, route, watch }: { readonly vmid: number; readonly route: Route; readonly watch: GuestWatch }) {
    this.#lab = lab;
    this.#vmid = vmid;
    this.#route = route;
    this.#watch = watch;
  }

  /** Has the migration come to this mark? */
  has(mark: StepMark): boolean {
    const { source, target } = this.#route;
    switch (mark) {
      case 'started':
        return true;
      case 'prepared':
        return ['incoming', 'armed', 'owned'].includes(this.#record(target));
      case 'copying':
        return this.#watch.streamStatuses(source).includes('active');
      case 'paused':
        return this.#watch.streamStatuses(source).includes('active') && this.#watch.runningOn().length === 0;
      case 'shut-down':
        return ['releasing', 'released'].includes(this.#record(source));
      case 'published':
        return this.#read(target, `journal/${this.#vmid}.volumes.json`).includes('"published"') || ['armed', 'owned'].includes(this.#record(target));
      case 'handed-over':
        return this.#record(target) === 'owned';
      default:
        return assertNever(mark);
    }
  }

  #record(node: string): string {
    return /"state": ?"(\w+)"/.exec(this.#read(node, `records/${this.#vmid}.json`))?.[1] ?? '';
  }

  #read(node: string, file: string): string {
    const path = this.#lab.inside(node, `/var/lib/kedge/${file}`);
    try {
      return path === null ? '' : readFileSync(path, 'utf8');
    } catch {
      return '';
    }
  }
}
