import { KedgeError } from '../../src/domain/kedge-error.js';
import type { FleetOptions } from './fleet-options.js';

/** What the server is waited for. */
export interface Task {
  /** In the infinitive: "register 10 nodes". */
  readonly what: string;
  /** Where it stands, in words. */
  readonly where?: () => string;
  /** What changes while it goes on; the words by default. */
  readonly progress?: () => number | string;
}

const SAY_EVERY_MS = 5_000;
/** Work that stands still for so long does not go on any more. */
const STANDS_STILL_MS = 180_000;
/** What is read after the time is over, so that there is a report, takes no longer. */
const LAST_MS = 300_000;

/** The end of all waiting of a run, with progress lines meanwhile. */
export class Deadline {
  readonly #options: FleetOptions;
  readonly #say: (line: string) => void;
  readonly #startMs = performance.now();

  constructor(options: FleetOptions, say: (line: string) => void) {
    this.#options = options;
    this.#say = say;
  }

  /** @throws KedgeError `deadline-exceeded`: the server can't do it in time, or nothing goes on any more */
  keep<Result>(work: Promise<Result>, task: Task): Promise<Result> {
    return this.#race(work, { ...task, endMs: this.#startMs + this.#options.limitMinutes * 60_000 });
  }

  /** What has to be done also when the time is over. */
  keepLast<Result>(work: Promise<Result>, what: string): Promise<Result> {
    return this.#race(work, { what, progress: () => performance.now(), endMs: performance.now() + LAST_MS });
  }

  async #race<Result>(work: Promise<Result>, { what, where = () => '', progress = where, endMs }: Task & { readonly endMs: number }): Promise<Result> {
    let last = progress();
    let lastMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<never>((_, reject) => {
      timer = setInterval(() => {
        const now = performance.now();
        if (progress() !== last) {
          last = progress();
          lastMs = now;
        }
        const standing = where();
        this.#say(`${Math.round((now - this.#startMs) / 1_000)} s: ${standing === '' ? `waiting for the server to ${what}` : standing}`);
        if (now > endMs) reject(this.#tooSlow({ what, how: 'in time', standing }));
        else if (now - lastMs > STANDS_STILL_MS) reject(this.#tooSlow({ what, how: `any more: nothing went on for ${STANDS_STILL_MS / 1_000} s`, standing }));
      }, SAY_EVERY_MS);
    });
    try {
      return await Promise.race([work, over]);
    } finally {
      clearInterval(timer);
    }
  }

  #tooSlow({ what, how, standing }: Record<'what' | 'how' | 'standing', string>): KedgeError {
    const { nodes, guests, drain } = this.#options;
    return new KedgeError(
      'deadline-exceeded',
      `The server can't keep up: with ${nodes} nodes, ${guests} guests and ${drain} drains it did not ${what} ${how}${standing === '' ? '' : ` (${standing})`}. Try a smaller fleet, or a longer --limit`,
    );
  }
}
