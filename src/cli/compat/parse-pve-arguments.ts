/**
 * The grammar of PVE's command lines (PVE::CLIHandler over Getopt::Long), which no common framework reproduces:
 * `-online` is `--online`; options and positionals interleave; unique prefixes of option names, in any case, are enough;
 * `--key value` and `--key=value`; the value of a boolean is optional, and a bare word after it is taken as its value.
 */
import type { PveCommand, PveOption, PveValues } from './pve-schema.js';
import { PveUsageError } from './pve-usage-error.js';

const TRUE_WORDS = new Set(['1', 'on', 'yes', 'true']);
const FALSE_WORDS = new Set(['0', 'off', 'no', 'false']);

/** Reads the arguments after the command's name. @throws PveUsageError with PVE's text */
export function parsePveArguments(command: PveCommand, argv: readonly string[]): PveValues {
  const found = { positionals: {}, booleans: {}, numbers: {}, strings: {} } satisfies PveValues;
  const words: string[] = [];
  const rest = [...argv];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === '--') {
      words.push(...rest.splice(0));
    } else if (word.startsWith('-') && word.length > 1) {
      readOption(command, { word, rest, found });
    } else {
      words.push(word);
    }
  }
  return { ...found, positionals: namePositionals(command, words) };
}

interface OptionReading {
  readonly word: string;
  readonly rest: string[];
  readonly found: { booleans: Record<string, boolean>; numbers: Record<string, number>; strings: Record<string, string> };
}

function readOption(command: PveCommand, { word, rest, found }: OptionReading): void {
  const [typed, inline] = splitAtEquals(word.replace(/^--?/, ''));
  const name = fullName(command, typed);
  const option = command.options[name];
  if (option === undefined) throw new PveUsageError(`Unknown option: ${typed}\n400 unable to parse option`);
  if (option.type === 'boolean') {
    const next = rest[0];
    const value = inline ?? (next !== undefined && !next.startsWith('-') ? rest.shift() : undefined);
    const flag = value === undefined ? true : readBoolean(name, value);
    if (flag) demandSupported(name, option);
    found.booleans[name] = flag;
    return;
  }
  demandSupported(name, option);
  const value = inline ?? rest.shift();
  if (value === undefined) throw new PveUsageError(`Option ${name} requires an argument\n400 unable to parse option`);
  if (option.type !== 'string') found.numbers[name] = readNumber({ name, value, option });
  else found.strings[name] = readString({ name, value, option });
}

function demandSupported(name: string, { refused }: PveOption): void {
  if (refused !== undefined) throw new PveUsageError(`option '${name}' is not supported: ${refused}`);
}

function splitAtEquals(text: string): readonly [string, string?] {
  const at = text.indexOf('=');
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

function fullName(command: PveCommand, typed: string): string {
  const wanted = typed.toLowerCase();
  const names = Object.keys(command.options);
  const exact = names.find((name) => name.toLowerCase() === wanted);
  if (exact !== undefined) return exact;
  const fitting = names.filter((name) => name.toLowerCase().startsWith(wanted));
  if (fitting.length > 1) throw new PveUsageError(`Option ${typed} is ambiguous (${fitting.join(', ')})\n400 unable to parse option`);
  return fitting[0] ?? typed;
}

function readBoolean(name: string, value: string): boolean {
  const word = value.toLowerCase();
  if (TRUE_WORDS.has(word)) return true;
  if (FALSE_WORDS.has(word)) return false;
  throw new PveUsageError(`400 Parameter verification failed.\n${name}: type check ('boolean') failed - got '${value}'`);
}

function readNumber({ name, value, option }: { name: string; value: string; option: PveOption & { type: 'integer' | 'number' } }): number {
  const failed = (reason: string): PveUsageError => new PveUsageError(`400 Parameter verification failed.\n${name}: ${reason}`);
  const form = option.type === 'integer' ? /^[+-]?\d+$/ : /^[+-]?(?:\d+\.?\d*|\.\d+)$/;
  if (!form.test(value)) throw failed(`type check ('${option.type}') failed - got '${value}'`);
  const number = Number(value);
  if (number < option.minimum) throw failed(`value must have a minimum value of ${String(option.minimum)}`);
  if (option.maximum !== undefined && number > option.maximum) throw failed(`value must have a maximum value of ${String(option.maximum)}`);
  return number;
}

function readString({ name, value, option }: { name: string; value: string; option: PveOption & { type: 'string' } }): string {
  const complaint =
    option.values !== undefined && !option.values.includes(value)
      ? `value '${value}' does not have a value in the enumeration '${option.values.join(', ')}'`
      : (option.complain?.(value) ?? null);
  if (complaint !== null) throw new PveUsageError(`400 Parameter verification failed.\n${name}: ${complaint}`);
  return value;
}

function namePositionals(command: PveCommand, words: readonly string[]): Record<string, string> {
  if (words.length < command.positionals.length) throw new PveUsageError('400 not enough arguments');
  if (words.length > command.positionals.length) throw new PveUsageError('400 too many arguments');
  return Object.fromEntries(command.positionals.map((name, index) => [name, words[index] ?? '']));
}
