/** How a migration of a round comes past each crash point: what lab/faults/crash-passages.ts says, unless more kinds of guests or another way pass it. */
import { PASSAGES, type Round } from '../../lab/faults/crash-passages.js';
import { CRASH_MOMENTS, CRASH_POINTS, type CrashMoment, type CrashPoint } from '../../src/domain/crash-points.js';
import type { GuestKind } from './round-plan.js';

export interface CrashRoute {
  readonly kinds: readonly GuestKind[];
  /**
   * `forward`: by itself. `slowly`: with a slow stream, since the rest of a fast one is so small that QEMU finishes by itself. `cancelled`: it is
   * cancelled in the copy. `target-lost`: the target dies, loaded, before it is armed.
   */
  readonly way: 'forward' | 'slowly' | 'cancelled' | 'target-lost';
}

const LIVE: readonly GuestKind[] = ['live', 'bare'];
const OFF: readonly GuestKind[] = ['offline', 'container'];
const ANY: readonly GuestKind[] = [...LIVE, ...OFF];
const forward = (kinds: readonly GuestKind[]): CrashRoute => ({ kinds, way: 'forward' });

const ROUTES: Readonly<Partial<Record<CrashPoint, CrashRoute>>> = {
  'source.claim-record': forward(ANY),
  'source.downtime-raised': { kinds: LIVE, way: 'slowly' },
  'source.releasing-record': forward(ANY),
  'source.released-record': forward(ANY),
  'source.arm-message': forward(ANY),
  'source.go-message': forward(ANY),
  'source.take-back-record': { kinds: ANY, way: 'cancelled' },
  'source.cont': { kinds: LIVE, way: 'target-lost' },
  'source.revoke-message': { kinds: LIVE, way: 'cancelled' },
  'source.power-down': forward(OFF),
  'target.incoming-record': forward(ANY),
  'target.config-copy': forward(ANY),
  'target.armed-record': forward(ANY),
  'target.owned-record': forward(ANY),
  'target.volume-journal': forward(OFF),
  'target.publish-volume': forward(OFF),
  'target.discard-volumes': { kinds: OFF, way: 'cancelled' },
  'target.revoked-record': { kinds: ANY, way: 'cancelled' },
  'target.kill': { kinds: LIVE, way: 'cancelled' },
  'node.task-noted': forward(ANY),
};

/** Rounds of the end-to-end tests that are also rounds here. The others hold a migration, start guests by verbs, or settle without one. */
const ROUTE_OF_ROUND: Readonly<Partial<Record<Round, CrashRoute>>> = {
  'live': forward(LIVE),
  'cancelled': { kinds: LIVE, way: 'cancelled' },
  'offline': forward(['offline']),
  'offline-cancelled': { kinds: ['offline'], way: 'cancelled' },
  'container': forward(['container']),
};

/** Null: no round of a run comes past it. */
export function crashRoute(point: CrashPoint): CrashRoute | null {
  const passage = PASSAGES[point];
  return ROUTES[point] ?? ('round' in passage ? ROUTE_OF_ROUND[passage.round] : undefined) ?? null;
}

/** The points that rounds can come past. */
export const PASSED_POINTS: readonly CrashPoint[] = CRASH_POINTS.filter((point) => crashRoute(point) !== null);

/** Where an answer is a message of its own, only its loss means something. */
export function momentsOf(point: CrashPoint): readonly CrashMoment[] {
  return point === 'target.go-answer' ? ['lost-reply'] : CRASH_MOMENTS;
}
