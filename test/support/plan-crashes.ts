import { CRASH_MOMENTS, CRASH_POINTS, type CrashMoment, type CrashPoint } from '../../src/domain/crash-points.js';
import { PASSAGES, ROUNDS, type Place, type Round } from '../../lab/faults/crash-passages.js';

export interface PlannedCrash {
  readonly point: CrashPoint;
  readonly moment: CrashMoment;
  readonly at: Place;
}

/** What strikes in one round. */
export interface CrashRun {
  readonly round: Round;
  readonly crashes: readonly PlannedCrash[];
}

/** A step of a migration is repeated only so often, and each death costs one. */
const MOST_DEATHS = 6;
/** `lost-reply` is the same place as `after` where the answer is no message. */
const DEATHS = ['before', 'after', 'lost-reply'] as const satisfies readonly CrashMoment[];
/** Of so many points one dies in a sample, the others are repeated, which costs no time. */
const ONE_DIES_OF = 6;

/** Every point of the rounds once: which of them die, and at which moment, changes with `seed`. */
export function sampleCrashes(seed: number): readonly CrashRun[] {
  const moments = pointsOfRounds().map((point, index): [CrashPoint, CrashMoment] => {
    const turn = index + seed;
    const death = DEATHS[Math.floor(turn / ONE_DIES_OF) % DEATHS.length] ?? 'after';
    return [point, turn % ONE_DIES_OF === 0 ? death : 'repeat'];
  });
  return runsOf(new Map(moments));
}

/** Every point of the rounds at every moment. */
export function allCrashes(): readonly CrashRun[] {
  return CRASH_MOMENTS.flatMap((_, shift) =>
    runsOf(new Map(pointsOfRounds().map((point, index) => [point, CRASH_MOMENTS[(index + shift) % CRASH_MOMENTS.length] ?? 'after']))),
  );
}

export function pointsOfRounds(): readonly CrashPoint[] {
  return CRASH_POINTS.filter((point) => 'round' in PASSAGES[point]);
}

function runsOf(moments: ReadonlyMap<CrashPoint, CrashMoment>): readonly CrashRun[] {
  return ROUNDS.flatMap((round) => {
    const crashes = [...moments].flatMap(([point, moment]): readonly PlannedCrash[] => {
      const passage = PASSAGES[point];
      return 'round' in passage && passage.round === round ? [{ point, moment, at: passage.at }] : [];
    });
    return inParts(crashes).map((part): CrashRun => ({ round, crashes: part }));
  });
}

/** As few parts as may be, with the deaths spread over them. */
function inParts(crashes: readonly PlannedCrash[]): readonly (readonly PlannedCrash[])[] {
  const deaths = crashes.filter(({ moment }) => moment !== 'repeat');
  const count = Math.max(1, Math.ceil(deaths.length / MOST_DEATHS));
  const ordered = [...deaths, ...crashes.filter(({ moment }) => moment === 'repeat')];
  return Array.from({ length: count }, (_, part) => ordered.filter((__, index) => index % count === part));
}
