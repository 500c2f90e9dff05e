/** How a migration comes past each crash point: the points themselves stand in src/domain/crash-points.ts, a new one is passed `forward` unless it stands here. */
import { CRASH_MOMENTS, type CrashMoment, type CrashPoint } from '../../src/domain/crash-points.js';
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

export function crashRoute(point: CrashPoint): CrashRoute {
  return ROUTES[point] ?? forward(LIVE);
}

/** Where an answer is a message of its own, only its loss means something. */
export function momentsOf(point: CrashPoint): readonly CrashMoment[] {
  return point === 'target.go-answer' ? ['lost-reply'] : CRASH_MOMENTS;
}
