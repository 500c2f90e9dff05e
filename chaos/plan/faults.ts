/**
 * The faults that a round may draw, with how often each comes (weights are relative) and how long it lasts. Long ones are rare: 200 kills
 * have to fit into an hour on two cores.
 */
import { NETWORKS } from '../../lab/address-plan.js';
import type { ChaosFault, GuestKind, Lasting, Side, Victim } from './round-plan.js';
import type { Random } from '../../lab/random.js';

/** Longer than a heartbeat may be late (10 s, src/domain/workflow-timings.ts). */
const LONGER_THAN_HEARTBEAT_MS = 13_000;
const SHORT_CUT_MS = 5_000;
/** Longer than a copy waits for a lost link (40 s, docs/migration.md). */
const LONG_CUT_MS = 46_000;

const SIDES: readonly Side[] = ['source', 'target'];

/** Longer than a final pass may stand still (10 s, worker/node/recovery/frozen-watch.ts). */
const RETURN_PATH_MS = 16_000;

export function returnPath({ alone, lateMs = 300, forMs = RETURN_PATH_MS }: { alone: boolean; lateMs?: number; forMs?: number }): ChaosFault {
  return { type: 'return-path', lateMs, forMs, alone };
}

type Draw = (random: Random, kind: GuestKind) => ChaosFault;
const DRAWS: readonly { readonly weight: number; readonly value: Draw }[] = [
  { weight: 26, value: (random) => kill(drawWorker(random)) },
  { weight: 8, value: (random) => kill(drawWorker(random), { program: random.pick(['control', 'temporal'] as const) }) },
  { weight: 4, value: () => kill({ program: 'worker', side: 'source' }, { program: 'worker', side: 'target' }) },
  { weight: 8, value: () => kill({ program: 'control' }) },
  { weight: 6, value: () => kill({ program: 'temporal' }) },
  { weight: 14, value: (random, kind) => kill({ program: kind === 'container' ? 'monitor' : 'qemu', side: random.pick(SIDES) }) },
  { weight: 6, value: (random) => kill({ program: random.pick(['sshd', 'sessions'] as const), side: random.pick(SIDES) }) },
  { weight: 5, value: (random) => lasting({ do: 'stop', victim: drawWorker(random) }, LONGER_THAN_HEARTBEAT_MS) },
  { weight: 2, value: (random) => lasting({ do: 'stop', victim: { program: random.pick(['control', 'temporal'] as const) } }, LONGER_THAN_HEARTBEAT_MS) },
  { weight: 2, value: (random) => lasting({ do: 'stop', victim: { program: 'sshd', side: random.pick(SIDES) } }, SHORT_CUT_MS) },
  { weight: 10, value: (random) => lasting({ do: 'power', side: random.pick(SIDES) }, random.between(500, 3_000)) },
  { weight: 9, value: (random) => lasting(drawCut(random), SHORT_CUT_MS) },
  { weight: 1, value: (random) => lasting(drawCut(random), LONG_CUT_MS) },
  { weight: 3, value: (random) => lasting({ do: 'lose', ...drawCable(random), percent: random.pick([5, 20, 50]) }, 8_000) },
  { weight: 2, value: (random) => lasting({ do: 'slow', side: random.pick(SIDES), network: 'migration', rate: random.pick(['20mbit', '60mbit']) }, 8_000) },
  { weight: 2, value: (random) => lasting({ do: 'late', ...drawCable(random), byMs: random.pick([50, 300]) }, 8_000) },
  { weight: 5, value: (random, kind) => (isLive(kind) ? returnPath({ alone: random.between(0, 1) === 1 }) : lasting(drawCut(random), SHORT_CUT_MS)) },
  { weight: 3, value: (random) => lasting({ do: 'fill', side: random.pick(SIDES) }, SHORT_CUT_MS) },
  { weight: 3, value: (random) => lasting({ do: 'slow-disk', side: random.pick(SIDES), writesPerSecond: random.pick([3, 10, 30]) }, 8_000) },
  { weight: 2, value: (random) => lasting({ do: 'clock', side: random.pick(SIDES), shift: random.pick(['+1h', '-1h', '+3d', '-90s']) }, SHORT_CUT_MS) },
];

export const isLive = (kind: GuestKind): boolean => kind === 'live' || kind === 'bare';

/** Draws any fault but a crash point. */
export function drawFault(random: Random, kind: GuestKind): ChaosFault {
  return random.weighted(DRAWS)(random, kind);
}

function kill(...victims: readonly Victim[]): ChaosFault {
  return { type: 'kill', victims };
}

function lasting(what: Lasting, forMs: number): ChaosFault {
  return { type: 'lasting', what, forMs };
}

function drawWorker(random: Random): Victim {
  return { program: 'worker', side: random.pick(SIDES) };
}

function drawCable(random: Random) {
  return { side: random.pick(SIDES), network: random.pick(NETWORKS.filter((network) => network !== 'guest')) } as const;
}

function drawCut(random: Random): Lasting {
  return { do: 'cut', ...drawCable(random), direction: random.pick(['in', 'out', 'both'] as const) };
}
