import type { PveCommand } from './pve-schema.js';
import { QM_COMMANDS, QM_SCHEMAS, type QmCommand } from './qm-schemas.js';

/** Usage of one command in PVE's form, e.g. `USAGE: qm migrate <vmid> <target> [OPTIONS]`; `full` adds the options. */
export function qmCommandUsage(name: QmCommand, options: { full: boolean } = { full: false }): string {
  const schema: PveCommand = QM_SCHEMAS[name];
  const supported = Object.entries(schema.options).filter(([, option]) => option.refused === undefined);
  const words = ['USAGE: qm', name, ...schema.positionals.map((positional) => `<${positional}>`), ...(supported.length === 0 ? [] : ['[OPTIONS]'])];
  const lines = supported.map(([option, { type, description }]) => `  -${option} <${type}>\n\t   ${description}\n`);
  return `${words.join(' ')}\n${options.full ? `\n  ${schema.description}\n\n${lines.join('')}` : ''}`;
}

/** The list of commands that follows an unknown or missing one. */
export function qmUsage(): string {
  const commands = QM_COMMANDS.map((name) => qmCommandUsage(name).replace('USAGE: ', '       '));
  return `USAGE: qm <COMMAND> [ARGS] [OPTIONS]\n\n${commands.join('')}\n       qm help [<command>]\n`;
}
