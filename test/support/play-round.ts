import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import type { CrashMoment, CrashPoint } from '../../src/domain/crash-points.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { MigrationOptions } from '../../src/domain/migration.js';
import type { Route } from './components.js';
import type { Place, Round } from '../../lab/faults/crash-passages.js';
import type { LabWorld } from './lab-world.js';

const MIB = 2 ** 20;
export const MACHINE = 102;
/** On local disks. */
export const LOCAL_MACHINE = 103;
export const CONTAINER = 104;
const SMALL_MACHINE = 109;
const SMALL_CONFIG = `name: small\nmemory: 64\nnet0: virtio=02:00:00:00:01:09,bridge=vmbr0\nvirtio0: local:${SMALL_MACHINE}/vm-${SMALL_MACHINE}-disk-0.raw,size=1M\n`;

/** The guest that a round moves. */
export function guestOf(round: Round): number {
  if (round === 'container') return CONTAINER;
  return round === 'offline' || round === 'offline-cancelled' ? LOCAL_MACHINE : MACHINE;
}

/** What has to die, too, so that a round's workers come past its points. */
export const COMPANIONS: Readonly<Partial<Record<Round, { readonly point: CrashPoint; readonly moment: CrashMoment; readonly at: Place }>>> = {
  reattached: { point: 'source.stream-started', moment: 'after', at: 'source' },
  settled: { point: 'source.go-message', moment: 'after', at: 'source' },
};

/** How the migration of a round ends when nothing dies; null: it has none. */
export function outcomeOf(round: Round): 'migrated' | 'cancelled' | null {
  if (round === 'verbs' || round === 'restart') return null;
  return round === 'cancelled' || round === 'offline-cancelled' ? 'cancelled' : 'migrated';
}

/** Does what a round is named after, with workers that may die meanwhile; answers the end of its migration. */
export async function playRound(world: LabWorld, round: Round, { source, target }: Route): Promise<MigrationView | null> {
  const move = (options: Partial<MigrationOptions> = {}): Promise<MigrationRef> => world.migrate(guestOf(round), target, options);
  switch (round) {
    case 'live':
    case 'settled':
      return world.ended(await move());
    case 'reattached':
      return world.ended(await move({ bandwidthLimit: 48 * MIB }));
    case 'held': {
      const ref = await move({ hold: true });
      await reached(world, ref, ({ phase }) => phase === 'holding');
      return persuade(world, ref, () => world.kedge.releaseMigration(ref));
    }
    case 'cancelled': {
      const ref = await move({ bandwidthLimit: 4 * MIB });
      await reached(world, ref, ({ progress }) => (progress?.bytesSent ?? 0) > 0);
      return persuade(world, ref, () => world.kedge.cancelMigration(ref));
    }
    case 'offline':
    case 'container':
      return world.ended(await move({ restart: true }));
    case 'offline-cancelled': {
      const ref = await move({ restart: true, hold: true });
      await reached(world, ref, ({ phase }) => phase === 'holding');
      return persuade(world, ref, () => world.kedge.cancelMigration(ref));
    }
    case 'verbs':
      await playVerbs(world, source);
      return null;
    case 'restart':
      await world.break('control', { kind: 'kill', target: 'control' });
      await world.restartWorker(source);
      return null;
  }
}

/** Waits for a state of a migration, or for its end. */
async function reached(world: LabWorld, ref: MigrationRef, until: (view: MigrationView) => boolean): Promise<void> {
  await world.watch(ref, 'the state or the end', (view) => view.status !== 'running' || until(view));
}

/** A worker that dies may cost the word its answer: it is said again until the migration ends. */
async function persuade(world: LabWorld, ref: MigrationRef, say: () => Promise<unknown>): Promise<MigrationView> {
  const end = world.ended(ref);
  const over = end.then(
    () => true,
    () => true,
  );
  for (;;) {
    try {
      await say();
      return await end;
    } catch (error) {
      if (!(error instanceof KedgeError)) throw error;
      if (await Promise.race([over, delay(500, false)])) return end;
    }
  }
}

/** A verb whose answer was lost is not repeated by Kedge: its user looks, and says it again. */
async function playVerbs(world: LabWorld, source: string): Promise<void> {
  const node = parseNodeName(source);
  const vmid = parseVmid(SMALL_MACHINE);
  const say = async (verb: 'start' | 'pause' | 'resume' | 'shutdown' | 'stop' | 'create' | 'destroy', done: readonly string[] = []): Promise<void> => {
    for (;;) {
      try {
        await world.kedge.manageGuest({
          node,
          command: { verb, vmid, ...(verb === 'create' ? { kind: 'qemu', config: SMALL_CONFIG } : {}), ...(verb === 'shutdown' ? { timeoutMs: 200 } : {}) },
        });
        return;
      } catch (error) {
        if (!(error instanceof KedgeError)) throw error;
        if (done.includes(error.code)) return;
        if (!['guest-locked', 'worker-lost', 'outcome-unknown', 'internal', 'node-silent', 'qmp-disconnected', 'qmp-busy'].includes(error.code)) throw error;
        await delay(300);
      }
    }
  };
  await say('create', ['already-exists']);
  await say('start');
  await say('pause');
  await say('resume');
  // It has no system that would obey.
  await say('shutdown', ['deadline-exceeded']);
  await say('stop');
  await say('destroy', ['not-found']);
  await audited(world);
}

/** Asks for an audit until one gets its answers. */
async function audited(world: LabWorld): Promise<void> {
  for (;;) {
    try {
      await world.leftovers();
      return;
    } catch (error) {
      if (!(error instanceof KedgeError)) throw error;
      await delay(500);
    }
  }
}
