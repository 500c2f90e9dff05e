/** What `npm run chaos` was asked for. Pure. */
import { parseArgs } from 'node:util';
import { KedgeError } from '../src/domain/kedge-error.js';
import { SABOTAGES, type Sabotage } from '../src/domain/sabotage.js';

export interface ChaosOptions {
  /** Faults that have to strike. */
  readonly kills: number;
  readonly seed: number;
  /** Run this round alone; null: all from the first. */
  readonly round: number | null;
  /** Begin no round later than so many minutes after the start; null: no limit. */
  readonly minutes: number | null;
  readonly sabotage: Sabotage | null;
  readonly name: string;
}

export const HELP = `Break a lab while guests move in it, and judge from outside whether any ran twice, was lost, or left something behind.

Usage: npm run chaos -- [options]

  --kills <n>        faults to strike (default 50)
  --seed <n>         the same seed gives the same rounds (default 1)
  --round <n>        only this round of the seed, to replay a failure
  --minutes <n>      begin no round later than this
  --sabotage <how>   break the product on purpose: ${SABOTAGES.join(', ')};
                     the run then has to report what that breaks, and stops at the first
  --name <lab>       name of the lab (default chaos)
  --help

Example: npm run chaos -- --kills 200 --seed 1

A line a round, a table, one line of JSON. Exit code 1 when something ran twice, was lost or was left behind. Needs root; docs/reliability.md says more.
`;

/** Null: only help was asked for. @throws KedgeError `bad-input` that names the option */
export function parseOptions(args: readonly string[]): ChaosOptions | null {
  const values = readArgs(args);
  if (values.help === true) return null;
  return {
    kills: whole('--kills', values.kills) ?? 50,
    seed: whole('--seed', values.seed, 0) ?? 1,
    round: whole('--round', values.round),
    minutes: whole('--minutes', values.minutes),
    sabotage: sabotageOf(values.sabotage),
    name: values.name ?? 'chaos',
  };
}

function readArgs(args: readonly string[]) {
  const text = { type: 'string' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: { kills: text, seed: text, round: text, minutes: text, sabotage: text, name: text, help: { type: 'boolean', short: 'h' } },
    }).values;
  } catch (error) {
    throw new KedgeError('bad-input', `Cannot run chaos: ${error instanceof Error ? error.message : String(error)}; see "npm run chaos -- --help"`);
  }
}

function whole(option: string, text: string | undefined, least = 1): number | null {
  if (text === undefined) return null;
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least && value < 2 ** 31) return value;
  throw new KedgeError('bad-input', `Cannot read ${option}: current value is "${text}", must be a whole number from ${least}`);
}

function sabotageOf(text: string | undefined): Sabotage | null {
  if (text === undefined) return null;
  const found = SABOTAGES.find((sabotage) => sabotage === text);
  if (found !== undefined) return found;
  throw new KedgeError('bad-input', `Cannot read --sabotage: current value is "${text}", must be one of ${SABOTAGES.join(', ')}`);
}
