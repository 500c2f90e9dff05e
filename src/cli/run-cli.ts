import { CommanderError } from 'commander';
import type { CliContext } from './cli-context.js';
import { COMMAND_TABLE } from './command-table.js';
import { EXIT_CODES } from './exit-codes.js';
import { buildProgram } from './program.js';
import { errorReport, type ErrorReport } from './render/error-report.js';
import { printError } from './render/print-error.js';

/** Commander ends by throwing even when it has only answered. */
const ANSWERS = ['commander.helpDisplayed', 'commander.version'];

/** Runs one command line (without program name) to its end and answers the exit code; every error is printed, none thrown. */
export async function runCli(argv: readonly string[], streams: Omit<CliContext, 'setExitCode'>): Promise<number> {
  let exitCode: number = EXIT_CODES.ok;
  const context: CliContext = {
    ...streams,
    setExitCode(code) {
      exitCode = code;
    },
  };
  // What follows "--" belongs to another program, as in "kedge lab exec node1 -- ls --json".
  const words = argv.includes('--') ? argv.slice(0, argv.indexOf('--')) : argv;
  const json = words.includes('--json');
  const usageText: string[] = [];
  try {
    if (isForCompletion(argv)) {
      const { runCompletion } = await import('./run-completion.js');
      await runCompletion(argv, context);
      return exitCode;
    }
    const loaded = COMMAND_TABLE.filter((row) => words.includes(row.name)).map((row) => row.name);
    const program = await buildProgram(context, { loaded, writeErr: json ? (text) => usageText.push(text) : context.err });
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) return printError(context, errorReport(error), { json });
    if (ANSWERS.includes(error.code)) return EXIT_CODES.ok;
    if (json) printError(context, usageReport(usageText.join('').trim()), { json });
    return EXIT_CODES.usage;
  }
}

/** `completion <shell>` prints a script, `complete -- …` is what those scripts call; a request for help is neither. */
function isForCompletion([first, second]: readonly string[]): boolean {
  return first === 'complete' || (first === 'completion' && ['bash', 'zsh', 'fish'].includes(second ?? ''));
}

function usageReport(message: string): ErrorReport {
  return { code: 'bad-input', message, causes: [], findings: [], remedy: 'See the help of the command with --help', details: {}, exitCode: EXIT_CODES.usage };
}
