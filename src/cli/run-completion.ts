import tab from '@bomb.sh/tab/commander';
import { Command } from 'commander';
import type { CliContext } from './cli-context.js';
import { buildProgram } from './program.js';

/** Answers `complete -- <words>`, which the scripts of `kedge completion <shell>` call, and prints those scripts. */
export async function runCompletion(argv: readonly string[], context: CliContext): Promise<void> {
  const program = await buildProgram(context, { loaded: 'all', writeErr: context.err });
  // The typings wrap the class that they share at run time; the library wants the plain one.
  if (!(program instanceof Command)) throw new TypeError('Cannot complete: the program is not made of commander commands');
  tab(program, { completionCommandName: 'script' });
  // The library's own name for the printing command is not the one that we document.
  const words = argv[0] === 'completion' ? ['script', ...argv.slice(1)] : argv;
  await program.parseAsync([...words], { from: 'user' });
}
