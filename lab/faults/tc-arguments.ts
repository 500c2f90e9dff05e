/** Slow cables as arguments of `tc`: pure. */
import { KedgeError } from '../../src/domain/kedge-error.js';

const BITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
/** Time that the bucket holds at full rate, milliseconds. */
const BURST_MS = 10;
const MIN_BURST_BYTES = 64 * 1024;

/** Shapes a device to a rate: a token bucket whose queue holds 50 ms. @throws KedgeError `bad-input` */
export function shapeArguments(device: string, rate: string): [string, ...string[]] {
  const burst = Math.max(MIN_BURST_BYTES, Math.round((parseRate(rate) / 8) * (BURST_MS / 1000)));
  return ['tc', 'qdisc', 'replace', 'dev', device, 'root', 'tbf', 'rate', rate, 'burst', String(burst), 'latency', '50ms'];
}

/** Takes it back. */
export function clearArguments(device: string): [string, ...string[]] {
  return ['tc', 'qdisc', 'delete', 'dev', device, 'root'];
}

/** Reads `100mbit` into bits a second. @throws KedgeError `bad-input` */
export function parseRate(rate: string): number {
  const match = /^(\d+(?:\.\d+)?)([kmg]?)bit$/.exec(rate);
  const unit = BITS[match?.[2] ?? ''];
  if (match === null || unit === undefined)
    throw new KedgeError('bad-input', `Cannot read the rate: current value is "${rate}", must be like 500kbit, 100mbit or 1gbit`);
  return Number(match[1]) * unit;
}
