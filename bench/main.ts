/** `npm run bench -- <suite>`: measures one suite and prints a table, then one line of JSON. */
import { KedgeError } from '../src/domain/kedge-error.js';
import { printReport, type Row } from './report.js';
import { noiseRow } from './time-command.js';

const SUITES: Readonly<Record<string, () => Promise<readonly Row[]>>> = {
  orchestration: async () => (await import('./orchestration/suite.js')).orchestrationSuite(),
};

async function main([name = '', ...rest]: readonly string[]): Promise<void> {
  const suite = SUITES[name];
  if (suite === undefined || rest.length > 0) {
    throw new KedgeError('bad-input', `Cannot measure "${[name, ...rest].join(' ')}": the suites are ${Object.keys(SUITES).join(', ')}`);
  }
  const before = await noiseRow();
  const rows = await suite();
  printReport(name, [...rows, before]);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof KedgeError && error.code === 'bad-input' ? 2 : 1;
}
