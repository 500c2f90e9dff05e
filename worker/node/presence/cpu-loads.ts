import type { Vmid } from '../../../src/domain/ids.js';

/** Processor time that a guest has had, of one life of it. */
export interface CpuReading {
  /** Changes with each start. */
  readonly life: string;
  readonly seconds: number;
}

interface Known extends CpuReading {
  readonly beganMs: number;
  readonly atMs: number;
  readonly load: number | null;
}

/** What happened so long ago counts for a third. */
const MEMORY_MS = 300_000;
/** Processor time is counted in hundredths of a second: of a shorter span it says little. */
const LEAST_MS = 500;

/**
 * Cores that guests keep busy: the mean since the first look until that is five minutes ago, then one in which what is past fades. One busy
 * second does not make a guest a busy one.
 */
export class CpuLoads {
  readonly #known = new Map<Vmid, Known>();
  readonly #now: () => number;

  /** `now`: milliseconds of a clock that nobody sets. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** Takes a new reading; null for a guest that is off. Answers null until two readings are far enough apart. */
  of(vmid: Vmid, reading: CpuReading | null): number | null {
    if (reading === null) {
      this.#known.delete(vmid);
      return null;
    }
    const before = this.#known.get(vmid);
    const atMs = this.#now();
    if (before === undefined || before.life !== reading.life || reading.seconds < before.seconds) {
      this.#known.set(vmid, { ...reading, beganMs: atMs, atMs, load: null });
      return null;
    }
    const spanMs = atMs - before.atMs;
    if (spanMs < LEAST_MS) return before.load;
    const share = Math.max(spanMs / (atMs - before.beganMs), 1 - Math.exp(-spanMs / MEMORY_MS));
    const now = (reading.seconds - before.seconds) / (spanMs / 1_000);
    const load = (before.load ?? 0) + share * (now - (before.load ?? 0));
    this.#known.set(vmid, { ...reading, beganMs: before.beganMs, atMs, load });
    return load;
  }
}
