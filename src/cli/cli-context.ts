import type { Cluster } from './cluster.js';

/** Everything a command touches besides its arguments; tests pass their own. */
export interface CliContext {
  /** Data for the reader or the next program. */
  readonly out: (text: string) => void;
  /** Progress, hints and errors. */
  readonly err: (text: string) => void;
  /** Which streams are terminals, and how wide the terminal is. */
  readonly terminal: { readonly out: boolean; readonly err: boolean; readonly columns: number };
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
  /** Opens the connection; the caller closes it. `config`: value of `--config`. */
  readonly openCluster: (options: { config?: string }) => Promise<Cluster>;
  /** Runs `listener` at the first Ctrl-C; answers how to stop listening. */
  readonly onInterrupt: (listener: () => void) => () => void;
  /** Exit code of the process when no error decides it. */
  readonly setExitCode: (code: number) => void;
}

/** Does this stream take colours: a terminal, and neither NO_COLOR nor a dumb one; FORCE_COLOR wins. */
export function takesColour(context: CliContext, stream: 'out' | 'err'): boolean {
  const { FORCE_COLOR: force, NO_COLOR: no, TERM: term } = context.environment;
  if (force !== undefined && force !== '' && force !== '0') return true;
  return (no === undefined || no === '') && term !== 'dumb' && context.terminal[stream];
}
