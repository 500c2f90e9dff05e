/** From a seed and a number to one round: pure, so that any round can be replayed alone. */
import type { CrashPoint } from '../../src/domain/crash-points.js';
import { crashRoute, momentsOf, PASSED_POINTS } from './crash-routes.js';
import { drawFault, isLive } from './faults.js';
import { Random } from '../../lab/random.js';
import {
  ACTIONS,
  type Action,
  type ChaosFault,
  type GuestKind,
  type Moment,
  type PlanOptions,
  type RoundPlan,
  type Side,
  type StepMark,
} from './round-plan.js';
import { planSabotage } from './plan-sabotage.js';

const MIB = 2 ** 20;
/** Slow enough that a cancel comes into the copy. */
const CANCELLED_COPY = { bandwidthLimit: 8 * MIB, cancelAfterMs: 1_500 };
const SLOW_STREAM = 24 * MIB;
const CUT_OFF_MS = 5_000;
/** Of a hundred rounds so many strike at a crash point. */
const CRASH_PERCENT = 45;

/** Plans one round of a run; `round` counts from 1. */
export function planRound(options: PlanOptions, round: number): RoundPlan {
  const random = new Random(options.seed, round);
  const isCrash = drawIsCrash(random);
  if (options.sabotage !== null) return planSabotage(options.sabotage, { round, random });
  if (isCrash) return planCrash(random, { round, point: pointOf(options.seed, round) });
  const kind = random.weighted<GuestKind>([
    { weight: 30, value: 'live' },
    { weight: 30, value: 'bare' },
    { weight: 20, value: 'offline' },
    { weight: 20, value: 'container' },
  ]);
  const fault = drawFault(random, kind);
  return {
    round,
    kind,
    bandwidthLimit: isLive(kind) && random.between(1, 3) === 1 ? SLOW_STREAM : null,
    moment: fault.type === 'return-path' ? { after: 'paused', delayMs: fault.lateMs / 2 } : drawMoment(random, kind),
    fault,
    action: drawAction(random),
    loseTarget: false,
  };
}

const drawIsCrash = (random: Random): boolean => random.between(1, 100) <= CRASH_PERCENT;

/** Each point is met before one is met twice, whatever the seed: what counts is how many rounds before this one strike at points. */
function pointOf(seed: number, round: number): CrashPoint {
  let earlier = 0;
  for (let each = 1; each < round; each += 1) if (drawIsCrash(new Random(seed, each))) earlier += 1;
  const cycle = Math.floor(earlier / PASSED_POINTS.length);
  return new Random(seed, -1 - cycle).shuffled(PASSED_POINTS)[earlier % PASSED_POINTS.length] ?? 'node.task-noted';
}

const ANY_GUEST = { kinds: ['bare'], way: 'forward' } as const;

/** A round at one crash point, on a way that leads past it. */
export function planCrash(random: Random, { round, point }: { readonly round: number; readonly point: CrashPoint }): RoundPlan {
  const { kinds, way } = crashRoute(point) ?? ANY_GUEST;
  const moment = random.pick(momentsOf(point));
  const side = sideOf(random, point);
  // Without network for a while: its answers are late, and its peer settles what it can alone.
  const cutOffMs = side !== 'control' && random.between(1, 6) === 1 ? CUT_OFF_MS : 0;
  const fault: ChaosFault = { type: 'crash', point, moment, side, cutOffMs };
  const plan: RoundPlan = {
    round,
    kind: random.pick(kinds),
    bandwidthLimit: null,
    moment: null,
    fault,
    action: null,
    loseTarget: way === 'target-lost',
  };
  if (way === 'slowly') return { ...plan, bandwidthLimit: SLOW_STREAM };
  if (way !== 'cancelled') return plan;
  return { ...plan, bandwidthLimit: CANCELLED_COPY.bandwidthLimit, action: { what: 'cancel', delayMs: CANCELLED_COPY.cancelAfterMs } };
}

/** Names of points are `<component>.<what>`: `node` is the worker of either node, what is neither is the control worker's. */
function sideOf(random: Random, point: CrashPoint): Side | 'control' {
  const component = point.slice(0, point.indexOf('.'));
  if (component === 'node') return random.pick(['source', 'target'] as const);
  return component === 'source' || component === 'target' ? component : 'control';
}

/** Marks of each kind, and the longest time that is waited after each of them: about until the next. */
const MARKS: Readonly<Record<GuestKind, readonly { readonly mark: StepMark; readonly upToMs: number }[]>> = {
  live: liveMarks(),
  bare: liveMarks(),
  offline: offMarks(),
  container: offMarks(),
};

function liveMarks() {
  return [
    { mark: 'started', upToMs: 400 },
    { mark: 'prepared', upToMs: 300 },
    { mark: 'copying', upToMs: 1_500 },
    { mark: 'paused', upToMs: 30 },
    { mark: 'handed-over', upToMs: 300 },
  ] as const;
}

function offMarks() {
  return [
    { mark: 'started', upToMs: 400 },
    { mark: 'prepared', upToMs: 500 },
    { mark: 'shut-down', upToMs: 300 },
    { mark: 'published', upToMs: 50 },
    { mark: 'handed-over', upToMs: 400 },
  ] as const;
}

function drawMoment(random: Random, kind: GuestKind): Moment {
  const { mark, upToMs } = random.pick(MARKS[kind]);
  return { after: mark, delayMs: random.between(0, upToMs) };
}

function drawAction(random: Random): Action | null {
  if (random.between(1, 4) !== 1) return null;
  return { what: random.pick(ACTIONS), delayMs: random.between(0, 2_500) };
}
