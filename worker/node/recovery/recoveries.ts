import type { Vmid } from '../../../src/domain/ids.js';

interface Running {
  done: Promise<boolean>;
  again: boolean;
}

/** The recoveries under way: one per guest. Who asks for another one meanwhile joins it, and it looks once more at the end. */
export class Recoveries {
  readonly #running = new Map<Vmid, Running>();
  readonly #later = new Set<Vmid>();

  /** Runs `recover` unless it runs for this guest already; answers what its last run said. */
  join(vmid: Vmid, recover: () => Promise<boolean>): Promise<boolean> {
    const running = this.#running.get(vmid);
    if (running !== undefined) {
      running.again = true;
      return running.done;
    }
    const entry: Running = { again: false, done: Promise.resolve(false) };
    this.#running.set(vmid, entry);
    entry.done = this.#run(vmid, entry, recover);
    return entry.done;
  }

  /** Runs the patient repetition for a guest, unless one is under way. */
  async later(vmid: Vmid, repeat: () => Promise<void>): Promise<void> {
    if (this.#later.has(vmid)) return;
    this.#later.add(vmid);
    try {
      await repeat();
    } finally {
      this.#later.delete(vmid);
    }
  }

  async #run(vmid: Vmid, entry: Running, recover: () => Promise<boolean>): Promise<boolean> {
    try {
      let settled: boolean;
      do {
        entry.again = false;
        settled = await recover();
      } while (isWantedAgain(entry));
      return settled;
    } finally {
      this.#running.delete(vmid);
    }
  }
}

/** A function, because others set the flag while `recover` runs. */
function isWantedAgain(entry: Running): boolean {
  return entry.again;
}
