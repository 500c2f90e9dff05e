import { z } from 'zod';
import { FORCES } from '../domain/drain/resolve-evacuation.js';
import { parseNodeName } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import type { WindowDefinition, WindowWork } from '../domain/window/window.js';
import { isNodeName } from './cluster-config.js';
import { isZone, lastingField, nameField, spanField, startField, zoneField } from './window-fields.js';
import { whyNoRule } from './window-occurrences.js';

const LATE_MS = 300_000;
/** A drain takes no more. */
const MOST_PARALLEL = 100;

const oneLine = z.string().regex(/^[^\n\r\0]*\S[^\n\r\0]*$/, 'must be one line of a shell command');
const timeout = spanField.refine((ms) => ms >= 1_000 && ms <= 86_400_000, 'must be from 1s to 24h');
/** Starts take seconds, so that a shorter one would be missed each time. */
const late = spanField.refine((ms) => ms >= 60_000, 'must be skip, or a span of at least 1m');

/** The file of `kedge window create --file`; the command line makes the same out of its options. It is also what the schedule keeps. */
export const windowFileSchema = z
  .strictObject({
    name: nameField,
    zone: zoneField,
    start: startField,
    rule: z.string().optional(),
    duration: lastingField({ longestDays: 7, why: ': a shorter window has no room for a single move' }),
    nodes: z.union([z.literal('all'), z.array(z.string().refine(isNodeName, 'must be a node name')).min(1)], {
      error: 'must be "all" or a list of node names',
    }),
    atOnce: z.int().min(1).max(100).default(1),
    command: oneLine.optional(),
    reboot: oneLine.optional(),
    human: oneLine.optional(),
    /** Of the command, or how long the reboot may take. */
    timeout: timeout.prefault('1h'),
    /** The command may run twice. */
    repeatable: z.boolean().default(false),
    check: oneLine.optional(),
    checkTimeout: timeout.prefault('5m'),
    /** What becomes of guests that the drain waits for, halfway to the end of the window. */
    force: z.enum(FORCES).default('skip'),
    /** Moves at a time, of one node. */
    parallel: z.int().min(1).max(MOST_PARALLEL).optional(),
    restore: z.boolean().default(true),
    /** `skip`, or how late it may open. */
    missed: z.union([z.literal('skip'), late]).default('skip'),
    onFailure: z.enum(['stop', 'continue']).default('stop'),
  })
  .check((context) => {
    const { command, reboot, human, nodes, zone, start, rule } = context.value;
    const refuse = (field: string, message: string): void => void context.issues.push({ code: 'custom', input: context.value, path: [field], message });
    if ([command, reboot, human].filter((work) => work !== undefined).length !== 1) {
      refuse('command', 'must be the one of command, reboot and human that says what happens on the node');
    }
    if (nodes !== 'all' && new Set(nodes).size !== nodes.length) refuse('nodes', 'must name each node once');
    const why = isZone(zone) ? whyNoRule({ zone, start, rule: rule ?? null }) : null;
    if (why !== null) refuse(why.field, why.reason);
  })
  .transform(
    (file): WindowDefinition => ({
      name: file.name,
      zone: file.zone,
      start: file.start,
      rule: file.rule ?? null,
      durationMs: file.duration,
      nodes: file.nodes === 'all' ? null : file.nodes.map(parseNodeName),
      atOnce: file.atOnce,
      work: workOf(file),
      healthCheck: file.check === undefined ? null : { command: file.check, timeoutMs: file.checkTimeout },
      force: file.force,
      parallel: file.parallel ?? null,
      restore: file.restore,
      lateMs: file.missed === 'skip' ? LATE_MS : file.missed,
      onFailure: file.onFailure,
    }),
  );

/** As people write it, before it is read. */
export type WindowFile = z.input<typeof windowFileSchema>;

/** Reads a window out of options of the command line. @throws KedgeError `bad-input` that names field, value and remedy */
export function parseWindowFile(input: unknown): WindowDefinition {
  const result = windowFileSchema.safeParse(input);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.join('.') ?? '';
  const value: unknown = z.record(z.string(), z.unknown()).catch({}).parse(input)[String(issue?.path[0] ?? '')] ?? null;
  throw new KedgeError('bad-input', `Cannot read ${field || 'the window'}: current value is ${JSON.stringify(value)}, ${issue?.message ?? 'is wrong'}`, {
    details: { field, value, remedy: issue?.message ?? '' },
  });
}

function workOf(file: {
  command?: string | undefined;
  reboot?: string | undefined;
  human?: string | undefined;
  timeout: number;
  repeatable: boolean;
}): WindowWork {
  if (file.command !== undefined) return { kind: 'command', command: file.command, timeoutMs: file.timeout, repeatable: file.repeatable };
  if (file.reboot !== undefined) return { kind: 'reboot', command: file.reboot, timeoutMs: file.timeout };
  return { kind: 'human', note: file.human ?? '' };
}
