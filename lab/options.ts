import { KedgeError } from '../src/domain/kedge-error.js';
import { nodeNames } from './address-plan.js';
import type { LabOptions } from './lab-state.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/** Reads a size as people type it (`512M`, `4G`; a bare number means bytes). @throws KedgeError `bad-input` that names the field */
export function parseSize(text: string, field: string): number {
  const match = /^(\d+)([KMGT]?)(?:i?B)?$/i.exec(text);
  const unit = UNITS[match?.[2]?.toUpperCase() ?? ''];
  if (match === null || unit === undefined)
    throw new KedgeError('bad-input', `Cannot read ${field}: current value is "${text}", must be a size like 512M or 4G`);
  return Number(match[1]) * unit;
}

/** Reads a positive number. @throws KedgeError `bad-input` that names the field */
export function parsePositive(text: string, field: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new KedgeError('bad-input', `Cannot read ${field}: current value is "${text}", must be a number above 0`);
  return value;
}

/** Reads `node3=0.5` into a node and the part of its speed. @throws KedgeError `bad-input` */
export function parseSlow(values: readonly string[], nodes: number): Record<string, number> {
  const names = nodeNames(nodes);
  const pairs = values.map((value) => {
    const [node = '', factor = ''] = value.split('=');
    const part = parsePositive(factor, `--slow ${value}`);
    if (!names.includes(node) || part > 1) {
      throw new KedgeError(
        'bad-input',
        `Cannot slow a node down: current value is "${value}", must be one of ${names.join(', ')}, "=" and a part of its speed up to 1`,
      );
    }
    return [node, part] as const;
  });
  return Object.fromEntries(pairs);
}

/** Says in words how a wish differs from what is there; empty when equal. */
export function optionDifferences(there: LabOptions, wanted: LabOptions): string[] {
  const fields = ['nodes', 'nodeMemoryBytes', 'nodeCores', 'nodeDiskBytes'] as const;
  const slow = (options: LabOptions): string =>
    Object.entries(options.slow)
      .sort()
      .map(([node, factor]) => `${node}=${factor}`)
      .join(' ') || 'none';
  return [
    ...fields.filter((field) => there[field] !== wanted[field]).map((field) => `${field} is ${there[field]}, wanted ${wanted[field]}`),
    ...((there.fencing ?? false) === (wanted.fencing ?? false) ? [] : [`fencing is ${there.fencing ?? false}, wanted ${wanted.fencing ?? false}`]),
    ...(slow(there) === slow(wanted) ? [] : [`slow is ${slow(there)}, wanted ${slow(wanted)}`]),
  ];
}
