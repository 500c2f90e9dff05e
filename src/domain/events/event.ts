/** What happened in a cluster, as operators read it and hooks tell it. Plain JSON. */
import type { NodeName, Vmid } from '../ids.js';

/** What an event means to somebody who is waiting for it. `note`: worth knowing, nothing begins or ends with it. */
export const EVENT_CLASSES = ['start', 'end', 'failure', 'needs-operator', 'note'] as const;
export type EventClass = (typeof EVENT_CLASSES)[number];

/** All kinds, each with its class. `hook`: about the telling itself, so that no hook is told of it. */
export const EVENT_KINDS = {
  'migration-started': 'start',
  'migration-committed': 'note',
  'migration-ended': 'end',
  'migration-cancelled': 'end',
  'migration-failed': 'failure',
  'migration-needs-operator': 'needs-operator',
  'drain-started': 'start',
  'drain-ended': 'end',
  'drain-cancelled': 'end',
  'drain-failed': 'failure',
  'undrain-started': 'start',
  'undrain-ended': 'end',
  'undrain-cancelled': 'end',
  'undrain-failed': 'failure',
  'balance-started': 'start',
  'balance-ended': 'end',
  'balance-cancelled': 'end',
  'balance-failed': 'failure',
  'window-opened': 'start',
  'window-closed': 'end',
  'window-failed': 'failure',
  'window-missed': 'failure',
  'window-node-started': 'note',
  'window-node-done': 'note',
  'window-node-left': 'note',
  'window-node-failed': 'failure',
  'window-needs-operator': 'needs-operator',
  'node-registered': 'note',
  'node-silent': 'failure',
  'node-cordoned': 'note',
  'node-uncordoned': 'note',
  'node-suspect': 'start',
  'node-fenced': 'failure',
  'node-needs-operator': 'needs-operator',
  'node-back': 'end',
  'node-recovery-failed': 'failure',
  'guest-taken': 'end',
  'guest-command': 'note',
  'guest-command-failed': 'failure',
  'hook-test': 'hook',
  'hook-retrying': 'hook',
  'hook-failed': 'hook',
} as const satisfies Readonly<Record<string, EventClass | 'hook'>>;
export type EventKind = keyof typeof EVENT_KINDS;

/** One thing that happened. */
export interface ClusterEvent {
  /** The same whenever and by whomever it is derived: letters, digits, `.`, `-`, `:`. */
  readonly id: string;
  /** RFC 3339. */
  readonly at: string;
  readonly kind: EventKind;
  /** One sentence. */
  readonly text: string;
  readonly vmid: Vmid | null;
  /** Nodes that it is about. */
  readonly nodes: readonly NodeName[];
  /** Where there is more to read. */
  readonly workflowId: string;
}

/** Is it a kind or a class that one may ask for? */
export function isEventSort(value: string): value is EventKind | EventClass | 'hook' {
  return Object.hasOwn(EVENT_KINDS, value) || value === 'hook' || EVENT_CLASSES.some((known) => known === value);
}

/** Is it of this kind, or of this class? */
export function isOfSort({ kind }: Pick<ClusterEvent, 'kind'>, sort: string): boolean {
  return kind === sort || EVENT_KINDS[kind] === sort;
}
