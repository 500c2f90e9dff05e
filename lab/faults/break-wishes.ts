/** What `kedge lab break` was asked for: options into faults, parsed at the edge. */
import { NETWORKS, type Network } from '../address-plan.js';
import type { Wish } from './break-machine.js';
import { parseRate } from './tc-arguments.js';
import type { Direction } from '../lab-state.js';
import { parsePositive, parseSize } from '../options.js';
import { CRASH_MOMENTS, CRASH_POINTS } from '../../src/domain/crash-points.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { parseDuration } from '../../src/domain/parse-duration.js';

/** Options of `kedge lab break` as commander gives them. */
export interface BreakOptions {
  readonly cut?: string | undefined;
  readonly lose?: string | undefined;
  readonly percent: string;
  readonly shape?: string | undefined;
  readonly rate?: string | undefined;
  readonly delay?: string | undefined;
  readonly by?: string | undefined;
  readonly direction: string;
  readonly peer?: string | undefined;
  readonly kill?: string | undefined;
  readonly stop?: string | undefined;
  readonly power?: string | undefined;
  readonly fill?: true | string | undefined;
  readonly slowDisk?: true | string | undefined;
  readonly clock?: string | undefined;
  readonly claim: readonly string[];
  readonly crashAt: readonly string[];
}

/** All faults that the options name. @throws KedgeError `bad-input` for none, or for one that can't be read */
export function breakWishes(options: BreakOptions): Wish[] {
  const direction = oneOf(['in', 'out', 'both'] as const, options.direction, '--direction');
  const wishes = [
    ...networkWishes(options, direction),
    ...(options.kill === undefined ? [] : [{ kind: 'kill', target: options.kill } as const]),
    ...(options.stop === undefined ? [] : [{ kind: 'stop', target: options.stop } as const]),
    ...(options.fill === undefined ? [] : [{ kind: 'fill', leaveBytes: options.fill === true ? 0 : parseSize(options.fill, '--fill') } as const]),
    ...(options.slowDisk === undefined ? [] : [{ kind: 'slow-disk', writesPerSecond: parseWrites(options.slowDisk) } as const]),
    ...(options.clock === undefined ? [] : [{ kind: 'clock', shift: parseShift(options.clock) } as const]),
    ...options.claim.map(parseClaim),
    ...options.crashAt.map(parseCrash),
    ...powerWishes(options.power),
  ];
  if (wishes.length === 0) throw new KedgeError('bad-input', 'Cannot break anything: name at least one fault, see "kedge lab break --help"');
  return wishes;
}

function networkWishes(options: BreakOptions, direction: Direction): Wish[] {
  const peer = options.peer ?? null;
  const cut = options.cut === undefined ? [] : [{ kind: 'cut', network: network(options.cut), direction, peer } as const];
  const lose =
    options.lose === undefined ? [] : [{ kind: 'lose', network: network(options.lose), direction, peer, percent: parsePercent(options.percent) } as const];
  const shape = options.shape === undefined ? [] : [{ kind: 'shape', network: network(options.shape), direction, rate: requiredRate(options.rate) } as const];
  const delay = options.delay === undefined ? [] : [{ kind: 'delay', network: network(options.delay), direction, delayMs: parseDelay(options.by) } as const];
  return [...cut, ...lose, ...shape, ...delay];
}

function powerWishes(power: string | undefined): Wish[] {
  if (power === undefined) return [];
  if (power === 'off') return [{ kind: 'power-off' }];
  throw new KedgeError(
    'bad-input',
    `Cannot break the power: current value of --power is "${power}", must be off; "kedge lab heal <machine> --power on" switches it on`,
  );
}

const network = (value: string): Network => oneOf(NETWORKS, value, 'the network');

function requiredRate(rate: string | undefined): string {
  if (rate === undefined) throw new KedgeError('bad-input', 'Cannot shape a network: name the rate, e.g. --rate 100mbit');
  parseRate(rate);
  return rate;
}

function parseDelay(text: string | undefined): number {
  const delayMs = parseDuration(text ?? '', '--by');
  if (delayMs > 0) return delayMs;
  throw new KedgeError('bad-input', `Cannot read --by: current value is "${text ?? ''}", must be above 0, e.g. 20ms`);
}

function parsePercent(text: string): number {
  const percent = Number(text);
  if (!(percent > 0 && percent <= 100)) throw new KedgeError('bad-input', `Cannot read --percent: current value is "${text}", must be above 0 and at most 100`);
  return percent;
}

/** So slow that each record costs a tenth of a second, unless told otherwise. */
const SLOW_WRITES = 10;

function parseWrites(text: true | string): number {
  return text === true ? SLOW_WRITES : parsePositive(text, '--slow-disk');
}

/** Grammar of libfaketime: a sign and seconds, or a number with m, h, d. */
function parseShift(text: string): string {
  if (!/^[+-]\d+(\.\d+)?[smhd]?$/.test(text)) throw new KedgeError('bad-input', `Cannot read --clock: current value is "${text}", must be like +1h or -90s`);
  return text;
}

function parseClaim(text: string): Wish {
  const at = text.indexOf('=');
  if (at < 1) throw new KedgeError('bad-input', `Cannot read --claim: current value is "${text}", must be key=value like qemu=6.2.0`);
  return { kind: 'claim', key: text.slice(0, at), value: text.slice(at + 1) };
}

function parseCrash(text: string): Wish {
  const [point = '', moment = 'before'] = text.split('=');
  return { kind: 'crash-at', point: oneOf(CRASH_POINTS, point, '--crash-at'), moment: oneOf(CRASH_MOMENTS, moment, '--crash-at') };
}

function oneOf<const Value extends string>(values: readonly Value[], text: string, field: string): Value {
  const found = values.find((value) => value === text);
  if (found !== undefined) return found;
  throw new KedgeError('bad-input', `Cannot read ${field}: current value is "${text}", must be one of ${values.join(', ')}`);
}
