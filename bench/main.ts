/** `npm run bench -- <suite> [--runs N]`: measures one suite and prints a table, then one line of JSON. `fleet` has options of its own. */
import { parseArgs } from 'node:util';
import { KedgeError } from '../src/domain/kedge-error.js';
import { printReport, printTable, type Row, type SuiteOptions } from './report.js';
import { noiseRow } from './time-command.js';

interface Suite {
  readonly defaultRuns: number;
  readonly measure: (options: SuiteOptions) => Promise<readonly Row[]>;
}

/** Loaded when asked for: a suite of the CLI must not pay for Temporal. */
const SUITES: Readonly<Record<string, Suite>> = {
  cli: { defaultRuns: 10, measure: async (options) => (await import('./cli/suite.js')).cliSuite(options) },
  live: { defaultRuns: 10, measure: async (options) => (await import('./live/suite.js')).liveSuite(options) },
  offline: { defaultRuns: 2, measure: async (options) => (await import('./offline/suite.js')).offlineSuite(options) },
  recovery: { defaultRuns: 10, measure: async (options) => (await import('./recovery/suite.js')).recoverySuite(options) },
  plan: { defaultRuns: 10, measure: async (options) => Promise.resolve((await import('./plan/suite.js')).planSuite(options)) },
  orchestration: { defaultRuns: 40, measure: async (options) => (await import('./orchestration/suite.js')).orchestrationSuite(options) },
};

async function main(args: readonly string[]): Promise<void> {
  if (args[0] === 'fleet') return (await import('./fleet/suite.js')).fleetSuite(args.slice(1));
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: { runs: { type: 'string' } } });
  const [name = ''] = positionals;
  const suite = SUITES[name];
  if (suite === undefined || positionals.length > 1) {
    throw new KedgeError('bad-input', `Cannot measure "${positionals.join(' ')}": the suites are fleet, ${Object.keys(SUITES).join(', ')}`);
  }
  const runs = values.runs === undefined ? suite.defaultRuns : Number(values.runs);
  if (!Number.isInteger(runs) || runs < 1) throw new KedgeError('bad-input', `Cannot read --runs: current value is "${values.runs}", must be a number from 1`);
  const noise = await noiseRow();
  const rows = [...(await suite.measure({ runs })), noise];
  printTable(rows);
  printReport({ suite: name, rows });
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  const isUsage = (error instanceof KedgeError && error.code === 'bad-input') || (error instanceof TypeError && 'code' in error);
  process.exitCode = isUsage ? 2 : 1;
}
