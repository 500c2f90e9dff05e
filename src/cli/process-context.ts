import type { CliContext } from './cli-context.js';

/** Width that is assumed when nothing is a terminal; columns. */
const DEFAULT_COLUMNS = 100;

/** The context of the real process: its streams, clock, signals, and the client, which is loaded when first needed. */
export function processContext(): Omit<CliContext, 'setExitCode'> {
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    terminal: { out: process.stdout.isTTY, err: process.stderr.isTTY, columns: process.stderr.columns || process.stdout.columns || DEFAULT_COLUMNS },
    environment: process.env,
    now: () => Date.now(),
    async openCluster(options) {
      const { openCluster } = await import('./open-cluster.js');
      return openCluster(options, process.env);
    },
    onInterrupt(listener) {
      const once = (): void => {
        process.off('SIGINT', once);
        listener();
      };
      // After the first Ctrl-C the default is back: a second one ends a command that hangs.
      process.on('SIGINT', once);
      return () => process.off('SIGINT', once);
    },
  };
}
