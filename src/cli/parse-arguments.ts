import { InvalidArgumentError } from 'commander';
import { EVENT_CLASSES, EVENT_KINDS, isEventSort } from '../domain/events/event.js';
import { parseMigrationId, parseNodeName, parseVmid, type NodeName, type Vmid } from '../domain/ids.js';
import { KedgeError } from '../domain/kedge-error.js';
import { parseDuration } from '../domain/parse-duration.js';
import { isInstant } from '../domain/read-input.js';

/** Parsers of arguments and options for commander: what they refuse is a usage error that names field, value and remedy. */
export const parseArgument = {
  vmid: (text: string): Vmid => refusing(() => parseVmid(text)),
  node: (text: string): NodeName => refusing(() => parseNodeName(text)),
  /** `101-7`, or a vmid for the newest migration of that guest. */
  migration: (text: string): string => refusing(() => (text.includes('-') ? parseMigrationId(text).id : String(parseVmid(text)))),
  /** Milliseconds out of a span like 90s or 10m. */
  duration: (text: string): number => refusing(() => parseDuration(text, 'span')),
  /** A whole number of at least `minimum`. */
  integer:
    (minimum: number, maximum = Infinity) =>
    (text: string): number => {
      if (!/^\d+$/.test(text) || Number(text) < minimum || Number(text) > maximum) {
        const range = maximum === Infinity ? `of at least ${String(minimum)}` : `from ${String(minimum)} to ${String(maximum)}`;
        throw new InvalidArgumentError(`Current value is "${text}", must be a whole number ${range}.`);
      }
      return Number(text);
    },
  /** RFC 3339 out of an instant with a zone, or out of a span from now (`+30m`). */
  instant: (text: string): string => {
    if (text.startsWith('+')) return new Date(Date.now() + refusing(() => parseDuration(text.slice(1), 'span'))).toISOString();
    if (!isInstant(text)) {
      throw new InvalidArgumentError(
        `Current value is "${text}", must be an instant with a time zone like 2026-03-01T02:30:00Z, or a span from now like +30m.`,
      );
    }
    return new Date(Date.parse(text)).toISOString();
  },
  /** RFC 3339 out of an instant with a zone, or out of a span that is over (`2h`: two hours ago). */
  past: (text: string): string => {
    if (!isInstant(text) && !/^(?:\d+(?:ms|[smhd]))+$/.test(text)) {
      throw new InvalidArgumentError(`Current value is "${text}", must be a span like 2h or 30d, or an instant with a time zone like 2026-03-01T02:30:00Z.`);
    }
    return new Date(isInstant(text) ? Date.parse(text) : Date.now() - parseDuration(text, 'span')).toISOString();
  },
  /** Name of a hook, as kedge.yaml may have it. */
  hook: (text: string): string => {
    if (!/^[a-z][a-z0-9-]{0,31}$/.test(text)) {
      throw new InvalidArgumentError(`Current value is "${text}", must be the name of a hook: lower-case letters, digits and hyphens.`);
    }
    return text;
  },
  /** Kinds and classes of events, separated by commas. */
  eventSorts: (text: string): readonly string[] => {
    const sorts = text.split(',').map((sort) => sort.trim());
    const unknown = sorts.find((sort) => !isEventSort(sort));
    if (unknown !== undefined) {
      const known = [...EVENT_CLASSES, 'hook', ...Object.keys(EVENT_KINDS)].join(', ');
      throw new InvalidArgumentError(`Current value is "${unknown}", must be one or more of ${known}, separated by commas.`);
    }
    return sorts;
  },
} as const;

function refusing<Value>(parse: () => Value): Value {
  try {
    return parse();
  } catch (error) {
    if (error instanceof KedgeError) throw new InvalidArgumentError(`${error.message}.`);
    throw error;
  }
}
