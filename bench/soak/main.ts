/**
 * `npm run soak -- --migrations 300 [--every 25]`: moves one guest to and fro between the two nodes of a lab, and tells whether memory, open
 * files, histories or files grow with that. Prints a line for each sample and a table, then one line of JSON; exit code 1 when anything grows,
 * a migration did not end well, or the witness saw the guest twice or lost something.
 */
import { parseArgs } from 'node:util';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { printVerdict } from './print-verdict.js';
import { soak } from './soak.js';

async function main(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({ args: [...args], options: { migrations: { type: 'string', default: '300' }, every: { type: 'string', default: '25' } } });
  const migrations = count('migrations', values.migrations);
  const result = await soak({ migrations, every: Math.min(count('every', values.every), migrations) });
  process.exitCode = printVerdict(result) ? 0 : 1;
}

function count(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new KedgeError('bad-input', `Cannot read --${name}: current value is "${text}", must be a number from 1`);
  return value;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`soak: ${error instanceof Error ? error.message : String(error)}\n`);
  const isUsage = (error instanceof KedgeError && error.code === 'bad-input') || (error instanceof TypeError && 'code' in error);
  process.exitCode = isUsage ? 2 : 1;
}
