import { readFileSync } from 'node:fs';
import { Command, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from './cli-context.js';
import { COMMAND_TABLE } from './command-table.js';

/**
 * The command tree of `kedge`. `loaded`: the top-level commands that are needed in full; the others are stubs with their
 * description, enough for the help and for suggestions. `writeErr`: where usage errors go.
 */
export async function buildProgram(context: CliContext, options: { loaded: 'all' | readonly string[]; writeErr: (text: string) => void }): Promise<Command> {
  const program = new Command('kedge')
    .description('Moves running guests between the nodes of a cluster: durable, and never two at once')
    .version(ownVersion(), '-V, --version')
    .option('--config <file>', 'kedge.yaml of the cluster (else KEDGE_CONFIG, the lab of KEDGE_LAB, /etc/kedge/kedge.yaml, the only lab)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ kedge guest list\n  $ kedge migrate 101 node2\n  $ kedge migration show 101\n\nExit codes: 0 done, 1 failed, 2 usage, 3 refused, 4 timeout, 130 Ctrl-C (lets go, cancels nothing).',
    )
    .showSuggestionAfterError()
    .showHelpAfterError('→ See the help: add --help')
    .exitOverride()
    .configureOutput({
      writeOut: context.out,
      writeErr: options.writeErr,
      getOutHelpWidth: () => context.terminal.columns,
      getErrHelpWidth: () => context.terminal.columns,
    });
  for (const row of COMMAND_TABLE) {
    const needed = options.loaded === 'all' || options.loaded.includes(row.name);
    program.addCommand(needed ? await row.load(context) : new Command(row.name).description(row.description));
  }
  passOn(program);
  return program;
}

/** Commands that were built apart take over how this program writes and exits. */
function passOn(parent: CommandUnknownOpts): void {
  for (const command of parent.commands) {
    command.copyInheritedSettings(parent);
    passOn(command);
  }
}

function ownVersion(): string {
  // From dist/src/cli as from src/cli, package.json is found going up.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const text = readFileSync(new URL(up, import.meta.url), 'utf8');
      return /"version": "([^"]+)"/.exec(text)?.[1] ?? 'unknown';
    } catch {
      // The next folder up.
    }
  }
  return 'unknown';
}
