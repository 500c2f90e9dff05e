/** Waits until the system has recovered by itself, as outsiders see it. */
import { setTimeout as delay } from 'node:timers/promises';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { GuestWatch } from '../observe/guest-watch.js';

const LOOK_EVERY_MS = 50;
/** The server is asked less often than the sockets are read. */
const ASK_EVERY_MS = 400;

/** Follows a migration until it has ended; a server that is away meanwhile is waited for. */
export class MigrationEnd {
  #view: MigrationView | null = null;
  #isWaiting = true;

  constructor(kedge: KedgeClient, ref: MigrationRef) {
    void this.#follow(kedge, ref);
  }

  /** Null while it has not been read. */
  get view(): MigrationView | null {
    return this.#view;
  }

  get hasEnded(): boolean {
    return this.#view !== null && this.#view.status !== 'running';
  }

  get isParked(): boolean {
    return this.#view?.phase === 'needs-operator' && this.#view.status === 'running';
  }

  stop(): void {
    this.#isWaiting = false;
  }

  async #follow(kedge: KedgeClient, ref: MigrationRef): Promise<void> {
    while (this.#isWaiting && !this.hasEnded) {
      try {
        this.#view = await kedge.showMigration(ref);
      } catch (error) {
        if (!(error instanceof KedgeError)) throw error;
      }
      await delay(ASK_EVERY_MS);
    }
  }
}

export interface Recovery {
  /** Guests that did not run on exactly one node when the wait ended. */
  readonly notRunning: readonly number[];
  readonly migrationEnded: boolean;
  /** When it was over, by the clock of `performance`. */
  readonly at: number;
}

/** A guest that is off on all nodes so long after the end of all migrations stays off: nobody starts it. */
const STAYS_DOWN_MS = 12_000;

/** Returns once all migrations have ended and every guest runs on exactly one node (or is off for good, or has run twice), or at the deadline. */
export async function awaitRecovery(
  ends: readonly MigrationEnd[],
  { watches, deadline }: { readonly watches: ReadonlyMap<number, GuestWatch>; readonly deadline: number },
): Promise<Recovery> {
  let downSince: number | null = null;
  for (;;) {
    const runners = [...watches].map(([vmid, watch]) => ({ vmid, count: watch.runningOn().length }));
    const notRunning = runners.filter(({ count }) => count !== 1).map(({ vmid }) => vmid);
    const migrationEnded = ends.every((end) => end.hasEnded);
    const at = performance.now();
    const onlyDown = migrationEnded && notRunning.length > 0 && runners.every(({ count }) => count < 2);
    downSince = onlyDown ? (downSince ?? at) : null;
    const staysDown = downSince !== null && at - downSince > STAYS_DOWN_MS;
    // Once a guest has run twice nothing that follows makes it good.
    const ranTwice = [...watches.values()].some((watch) => watch.doubles().length > 0);
    if ((notRunning.length === 0 && migrationEnded) || staysDown || ranTwice || at > deadline) return { notRunning, migrationEnded, at };
    await delay(LOOK_EVERY_MS);
  }
}
