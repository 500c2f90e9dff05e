import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationOptions } from '../../src/domain/migration.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { GuestWatch } from '../observe/guest-watch.js';
import type { ChaosGuest, ChaosLab } from './chaos-lab.js';
import { MigrationEnd } from './recover.js';

/** A node that has just come back is heard of again in this time. */
const PATIENCE_MS = 40_000;
const TRY_AGAIN_MS = 2_000;
const LOOK_EVERY_MS = 100;

/**
 * Moves a guest whose migration was rolled back to the node where it should have gone: what a failed attempt leaves in the way of the next one is
 * left behind, even if no file shows it. Answers why it can't be moved; null: it was.
 */
export async function moveAgain(lab: ChaosLab, { guest, watch }: { readonly guest: ChaosGuest; readonly watch: GuestWatch }): Promise<string | null> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const reason = await moveOnce(lab, { guest, watch, until });
    if (reason === null || performance.now() > until) return reason;
    await delay(TRY_AGAIN_MS);
  }
}

async function moveOnce(lab: ChaosLab, { guest, watch, until }: { guest: ChaosGuest; watch: GuestWatch; until: number }): Promise<string | null> {
  const [source] = watch.runningOn();
  const target = lab.nodes.find((node) => node !== source);
  if (source === undefined || target === undefined) return 'it runs nowhere';
  const options: Partial<MigrationOptions> = guest.isLocal ? { restart: true } : { online: true };
  let end: MigrationEnd;
  try {
    end = new MigrationEnd(lab.kedge, await lab.kedge.startMigration({ vmid: guest.vmid, source, target, requestedBy: 'chaos', options }));
  } catch (error) {
    if (error instanceof KedgeError) return error.message;
    throw error;
  }
  try {
    // One that is on its way may take longer than the patience with those that end at once.
    while (!end.hasEnded && performance.now() < until + PATIENCE_MS) await delay(LOOK_EVERY_MS);
    const { view } = end;
    if (view?.failure === null && view.story?.outcome === 'migrated') return null;
    return view?.failure?.message ?? view?.story?.outcome ?? 'it does not end';
  } finally {
    end.stop();
  }
}
