import { KedgeError } from '../../src/domain/kedge-error.js';
import { printReport, printTable, rowOf, type Row } from '../report.js';
import { noiseRow } from '../time-command.js';
import { runFleet, type FleetResult } from './fleet.js';
import { readFleetOptions } from './fleet-options.js';
import type { HistorySize } from './history-sizes.js';

const KIB = 1_024;

/**
 * `npm run bench -- fleet`: a cluster without machines on a real server; drains some of its nodes at once. Prints a table and one line of JSON, with
 * `--json` the line alone. @throws KedgeError when it did not come to its end, after the report of what was reached
 */
export async function fleetSuite(args: readonly string[]): Promise<void> {
  const options = readFleetOptions(args);
  const noise = await noiseRow();
  const result = await runFleet(options, (line) => process.stderr.write(`fleet: ${line}\n`));
  const rows = [...rowsOf(result, options.nodes), noise];
  const { nodes, guests, drain, slots, polls } = options;
  const { problem } = result;
  if (!options.json) {
    process.stdout.write(`${nodes} nodes, ${guests} guests, ${drain} drained at once, ${slots} migrations at a time, ${polls} polls a queue\n`);
    printTable(rows);
  }
  printReport({ suite: 'fleet', nodes, guests, drain, slots, polls, problem, rows });
  if (problem !== null) throw new KedgeError('deadline-exceeded', `The fleet did not come to its end: ${problem}`);
}

function rowsOf({ moves, drainMs, idle, busy, snapshot, looksMs, failedLooks, histories }: FleetResult, nodes: number): readonly Row[] {
  const { drains, migrations, admissions, presences, grants } = histories;
  const one = (name: string, unit: string, value: number): Row => rowOf(name, unit, { ours: [value] });
  const atDrain = (name: string, load: FleetResult['busy'][keyof FleetResult['busy']]): readonly Row[] => [
    one(`${name} processors`, 'cores', load.cores),
    one(`${name} memory`, 'MiB', load.rssMib),
  ];
  return [
    one('moves', 'moves', moves),
    one('throughput', 'moves/min', moves / (drainMs / 60_000)),
    ...halfAndMost(
      'move',
      'ms',
      migrations.flatMap(({ tookMs }) => tookMs ?? []),
    ),
    ...halfAndMost('grant, from the request', 'ms', grants.waitsMs),
    ...halfAndMost('grant, admission alone', 'ms', grants.hopsMs),
    ...halfAndMost('look of a drain', 'ms', looksMs),
    one('looks that failed', 'looks', failedLooks),
    rowOf('snapshot, idle', 'ms', { ours: snapshot.tookMs }),
    rowOf('plan of all drains', 'ms', { ours: snapshot.planMs }),
    one('snapshot', 'KiB', snapshot.bytes / KIB),
    one('plan', 'KiB', snapshot.planBytes / KIB),
    one('largest answer to a drain', 'KiB', histories.largestAnswer / KIB),
    ...sizeRows('drain', drains),
    ...sizeRows('migration', migrations),
    ...sizeRows('presence', presences),
    one('admission events', 'a move', sum(admissions, ({ events }) => events) / Math.max(1, moves)),
    one('admission bytes', 'KiB/move', sum(admissions, ({ bytes }) => bytes) / KIB / Math.max(1, moves)),
    one(
      'admission runs',
      'runs',
      sum(admissions, ({ runIds }) => runIds.length),
    ),
    one(`server, ${nodes} nodes idle`, 'cores', idle.server.cores),
    one('node workers, idle', 'cores', idle.nodes.cores),
    ...atDrain('server', busy.server),
    ...atDrain('control worker', busy.control),
    ...atDrain('node workers', busy.nodes),
  ];
}

/** Nothing at all where nothing was measured. */
function halfAndMost(name: string, unit: string, samples: readonly number[]): readonly Row[] {
  if (samples.length === 0) return [];
  const row = rowOf(`${name} p50`, unit, { ours: samples });
  const sorted = [...samples].sort((one, other) => one - other);
  return [row, { ...row, name: `${name} p99`, ours: sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * 0.99))] ?? null }];
}

function sizeRows(name: string, sizes: readonly HistorySize[]): readonly Row[] {
  if (sizes.length === 0) return [];
  return [
    rowOf(`${name} history`, 'events', { ours: sizes.map(({ events }) => events) }),
    rowOf(`${name} history`, 'KiB', { ours: sizes.map(({ bytes }) => bytes / KIB) }),
  ];
}

function sum(sizes: readonly HistorySize[], of: (size: HistorySize) => number): number {
  return sizes.reduce((all, size) => all + of(size), 0);
}
