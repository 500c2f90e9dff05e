import type { PveProgram } from './pve-program.js';
import { PVE_VERBS, type PveVerb } from './pve-schema.js';

type Named = Pick<PveProgram, 'name' | 'schemas'>;

/** Usage of one command in PVE's form, e.g. `USAGE: qm migrate <vmid> <target> [OPTIONS]`; `full` adds the options. */
export function commandUsage(program: Named, { verb, full = false }: { verb: PveVerb; full?: boolean }): string {
  const schema = program.schemas[verb];
  const supported = Object.entries(schema.options).filter(([, option]) => option.refused === undefined);
  const words = ['USAGE:', program.name, verb, ...schema.positionals.map((positional) => `<${positional}>`), ...(supported.length === 0 ? [] : ['[OPTIONS]'])];
  const lines = supported.map(([option, { type, description }]) => `  -${option} <${type}>\n\t   ${description}\n`);
  return `${words.join(' ')}\n${full ? `\n  ${schema.description}\n\n${lines.join('')}` : ''}`;
}

/** The list of commands that follows an unknown or missing one. */
export function programUsage(program: Named): string {
  const commands = PVE_VERBS.map((verb) => commandUsage(program, { verb }).replace('USAGE: ', '       '));
  return `USAGE: ${program.name} <COMMAND> [ARGS] [OPTIONS]\n\n${commands.join('')}\n       ${program.name} help [<command>]\n`;
}
