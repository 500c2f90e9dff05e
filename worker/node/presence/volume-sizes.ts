interface Known {
  readonly bytes: number | null;
  readonly atMs: number;
}

/** An image costs a process to look at, a container's tree a look at each of its files: once in so long, and one volume at a time. */
const FRESH_MS = 300_000;
/** What could not be looked at, e.g. since it is just being made. */
const RETRY_MS = 10_000;

/** What copies of volumes would take, looked at in the background: presence is never held up by a storage that hangs or a tree of a million files. */
export class VolumeSizes {
  readonly #known = new Map<string, Known>();
  readonly #ordered = new Set<string>();
  readonly #askedMs = new Map<string, number>();
  readonly #now: () => number;
  #last: Promise<void> = Promise.resolve();

  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** What was found last; null before, and for a volume that can't be looked at. Orders a new look when that is old. */
  of(volumeId: string, look: () => Promise<number>): number | null {
    const known = this.#known.get(volumeId);
    this.#askedMs.set(volumeId, this.#now());
    const freshMs = known?.bytes == null ? RETRY_MS : FRESH_MS;
    if ((known === undefined || this.#now() - known.atMs >= freshMs) && !this.#ordered.has(volumeId)) {
      this.#ordered.add(volumeId);
      this.#last = this.#last.then(() => this.#lookAt(volumeId, look));
    }
    return known?.bytes ?? null;
  }

  /** Resolves when everything that was ordered so far has been looked at. */
  settled(): Promise<void> {
    return this.#last;
  }

  async #lookAt(volumeId: string, look: () => Promise<number>): Promise<void> {
    const bytes = await look().catch(() => null);
    this.#known.set(volumeId, { bytes, atMs: this.#now() });
    this.#ordered.delete(volumeId);
    this.#forget();
  }

  /** Volumes of guests that are gone are not asked for any more. */
  #forget(): void {
    for (const [id, askedMs] of this.#askedMs) {
      if (this.#now() - askedMs < FRESH_MS) continue;
      this.#askedMs.delete(id);
      this.#known.delete(id);
    }
  }
}
