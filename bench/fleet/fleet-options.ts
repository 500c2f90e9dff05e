import { parseArgs } from 'node:util';
import { KedgeError } from '../../src/domain/kedge-error.js';

/** Size of the simulated fleet, and what is asked of it. */
export interface FleetOptions {
  readonly nodes: number;
  readonly guests: number;
  /** Nodes that are drained at once. */
  readonly drain: number;
  /** Migrations at a time in the whole cluster, as admission has it. */
  readonly slots: number;
  /** Polls that each queue of a node keeps open. */
  readonly polls: number;
  /** The whole takes no longer, preparation and clean-up included. */
  readonly limitMinutes: number;
  readonly json: boolean;
}

/** Most that each may be: beyond it the machine, not the server, is what would be measured. */
const MOST = { nodes: 1_000, guests: 50_000, slots: 1_000, polls: 10, limit: 24 * 60 } as const;

/** Reads `npm run bench -- fleet` and what follows. @throws KedgeError `bad-input` that names field, value and remedy */
export function readFleetOptions(args: readonly string[]): FleetOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      nodes: { type: 'string', default: '200' },
      guests: { type: 'string', default: '5000' },
      drain: { type: 'string', default: '20' },
      slots: { type: 'string' },
      polls: { type: 'string', default: '2' },
      limit: { type: 'string', default: '30' },
      json: { type: 'boolean', default: false },
    },
  });
  const nodes = count('nodes', values.nodes, { least: 3, most: MOST.nodes });
  const drain = count('drain', values.drain, { least: 1, most: Math.floor(nodes / 2) });
  return {
    nodes,
    guests: count('guests', values.guests, { least: nodes, most: MOST.guests }),
    drain,
    // Each drain has two moves under way: by default admission stops none of them, so that the server is what limits.
    slots: values.slots === undefined ? 2 * drain : count('slots', values.slots, { least: 1, most: MOST.slots }),
    polls: count('polls', values.polls, { least: 1, most: MOST.polls }),
    limitMinutes: count('limit', values.limit, { least: 1, most: MOST.limit }),
    json: values.json,
  };
}

function count(name: string, text: string, { least, most }: { least: number; most: number }): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw new KedgeError('bad-input', `Cannot read --${name}: current value is "${text}", must be a whole number from ${least} to ${most}`);
}
