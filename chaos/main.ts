/** `npm run chaos`: rounds, a table, and as the last line of standard output JSON. */
import { labDown } from '../lab/down.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import { HELP, parseOptions, type ChaosOptions } from './options.js';
import { summarize, tableText } from './report.js';
import { runChaos } from './run/run-chaos.js';

async function main(args: readonly string[]): Promise<void> {
  const options = parseOptions(args);
  if (options === null) {
    process.stdout.write(HELP);
    return;
  }
  const stop = takeDownWhenInterrupted(options);
  try {
    const results = await runChaos(options, say);
    const summary = summarize(options.seed, results);
    process.stdout.write(`\n${tableText(results)}\n${JSON.stringify(options.sabotage === null ? summary : { ...summary, sabotage: options.sabotage })}\n`);
    if (summary.doubleRunners + summary.leftovers + summary.lostGuests > 0) process.exitCode = 1;
  } finally {
    stop();
  }
}

/** Ctrl-C leaves nothing behind. */
function takeDownWhenInterrupted({ name }: ChaosOptions): () => void {
  const interrupted = (): void => {
    process.stderr.write(`chaos: interrupted, taking lab "${name}" down\n`);
    void labDown(name).finally(() => process.exit(130));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  return () => {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`chaos: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof KedgeError && error.code === 'bad-input' ? 2 : 1;
}
