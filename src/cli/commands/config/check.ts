import { Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { ERROR_CODES } from '../../../domain/error-codes.js';
import { checkConfig } from '../../../schema/check-config.js';
import { CONFIG_KINDS, guessConfigKind, type ConfigKind } from '../../../schema/config-kind.js';
import type { ConfigProblem } from '../../../schema/config-problem.js';
import type { CliContext } from '../../cli-context.js';
import { EXIT_CODES } from '../../exit-codes.js';
import { newCommand } from '../../new-command.js';
import { readConfigFile } from './read-config-file.js';

interface CheckedFile {
  readonly file: string;
  /** null: it can't be read, or nothing tells its kind. */
  readonly kind: ConfigKind | null;
  readonly problems: readonly ConfigProblem[];
  readonly canonical: () => string;
  readonly json: () => unknown;
}

/** `kedge config check <file…>`: all that PVE would refuse or leave out, for all files, with line and column. Changes nothing. */
export function configCheckCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('check', {
    description: 'Check config files in the grammar of PVE: guests, storage.cfg, datacenter.cfg',
    examples: [
      'kedge config check /etc/kedge/qemu-server/*.conf /etc/kedge/storage.cfg',
      'kedge config check --kind ct --print 200.conf',
      'kedge config check --json 101.conf | jq ".[0].config.values.net0"',
    ],
    notes: [
      'Problems go to stderr as FILE:LINE:COLUMN: text. Exit code 0: all files are right, though there may be warnings. 2: a file has errors.',
      'Without --kind a file is what its path says (qemu-server/, lxc/, storage.cfg, datacenter.cfg), else what its keys say.',
    ].join('\n'),
  })
    .argument('<file...>', 'the files')
    .addOption(new Option('--kind <kind>', 'what the files are').choices(CONFIG_KINDS))
    .addOption(new Option('--print', 'print the files as PVE would write them').conflicts('json'))
    .option('--json', 'JSON: one object for each file, with what it says')
    .action(async (files, options) => {
      const checked: CheckedFile[] = [];
      for (const file of files) checked.push(await checkFile(file, options.kind));
      context.err(checked.flatMap(({ file, problems }) => problems.map((problem) => `${problemLine(file, problem)}\n`)).join(''));
      context.out(options.json === true ? jsonOf(checked) : options.print === true ? printOf(checked) : summaryOf(checked));
      context.setExitCode(checked.every(isRight) ? EXIT_CODES.ok : ERROR_CODES['bad-config'].exitCode);
    });
}

async function checkFile(file: string, wanted: ConfigKind | undefined): Promise<CheckedFile> {
  const nothing = { file, kind: null, canonical: () => '', json: () => null };
  const { source, problem } = await readConfigFile(file);
  if (problem !== null) return { ...nothing, problems: [problem] };
  const kind = wanted ?? guessConfigKind(file, source);
  if (kind === undefined) {
    const message = `nothing tells what kind of config this is, say it with --kind ${CONFIG_KINDS.join('|')}`;
    return { ...nothing, problems: [{ severity: 'error', line: 1, column: 1, message }] };
  }
  const { problems, ...config } = checkConfig(kind, source);
  const lines = source.split('\n');
  // The parser counts the units of JavaScript, of which a sign outside of the basic plane takes two.
  const characters = ({ line, column }: ConfigProblem): number => Array.from((lines[line - 1] ?? '').slice(0, column - 1)).length + 1;
  return { file, kind, problems: problems.map((found) => ({ ...found, column: characters(found) })), ...config };
}

function isRight({ problems }: CheckedFile): boolean {
  return problems.every(({ severity }) => severity === 'warning');
}

function problemLine(file: string, { severity, line, column, message }: ConfigProblem): string {
  // What stands in a file must not steer the terminal.
  const text = message.replace(/\p{Cc}/gu, (sign) => `\\x${(sign.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`);
  return `${file}:${String(line)}:${String(column)}: ${severity === 'warning' ? 'warning: ' : ''}${text}`;
}

function jsonOf(checked: readonly CheckedFile[]): string {
  const objects = checked.map((one) => ({ file: one.file, kind: one.kind, problems: one.problems, config: isRight(one) ? one.json() : null }));
  return `${JSON.stringify(objects, undefined, 2)}\n`;
}

/** One file as it is; several under their names, as head(1) does. A file with errors is left out: something of it would be lost. */
function printOf(checked: readonly CheckedFile[]): string {
  const right = checked.filter(isRight);
  return right.map(({ file, canonical }) => (checked.length === 1 ? canonical() : `==> ${file} <==\n${canonical()}`)).join('');
}

function summaryOf(checked: readonly CheckedFile[]): string {
  return checked
    .filter(isRight)
    .map(
      ({ file, kind, problems }) =>
        `${file}: ${kind ?? ''} config, right${problems.length === 0 ? '' : `, ${String(problems.length)} ${problems.length === 1 ? 'warning' : 'warnings'}`}\n`,
    )
    .join('');
}
