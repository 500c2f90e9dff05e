/** Reads a change of admission's limits, by hand: it is read inside of the workflow, too, where what a person has typed into Temporal's own tools must fail cleanly. */
import type { LimitChange } from './admission.js';
import {
  isLimit,
  LIMIT_NAMES,
  LIMITED_KINDS,
  limitRule,
  OWN_LIMITS,
  type LimitedKind,
  type LimitName,
  type LimitSettings,
  type OwnLimits,
} from './admission-limits.js';
import { parseNodeName } from './ids.js';
import { isRecord } from './is-record.js';
import { badInput, refuseUnknownFields } from './read-input.js';
import { isSlotNetwork } from './slot-network.js';

const STORAGE = /^[A-Za-z][A-Za-z0-9._-]*$/;

/** What names of each kind are. */
export const NAMES_OF: Readonly<Record<LimitedKind, { readonly isName: (name: string) => boolean; readonly must: string }>> = {
  nodes: { isName: isNodeName, must: 'the name of a node' },
  networks: { isName: isSlotNetwork, must: '"default", or a network in CIDR notation without host bits like 10.1.0.0/24' },
  storages: { isName: (name) => STORAGE.test(name), must: 'the name of a storage' },
};

/** @throws KedgeError `bad-input` that names the field, its value and what it must be */
export function readLimitChange(input: unknown): LimitChange {
  if (!isRecord(input)) throw badInput('change', input, 'a JSON object like {"from": "operator", "setBy": "me", "settings": {"perNode": 4}}');
  const { from, setBy, reset, settings } = input;
  if (from === 'config') {
    refuseUnknownFields(input, { known: ['from', 'settings'], prefix: '' });
    return { from, settings: readLimitSettings(settings) };
  }
  if (from !== 'operator') throw badInput('from', from, 'config or operator');
  refuseUnknownFields(input, { known: ['from', 'setBy', 'settings', 'reset'], prefix: '' });
  if (typeof setBy !== 'string' || setBy === '') throw badInput('setBy', setBy, 'a text that says who');
  if (reset === undefined) return { from, setBy, settings: readLimitSettings(settings) };
  if (reset !== true) throw badInput('reset', reset, 'true, or absent');
  if (settings !== undefined) throw badInput('settings', settings, 'absent with "reset"');
  return { from, setBy, reset };
}

/** One layer of limits. @throws KedgeError `bad-input` */
export function readLimitSettings(settings: unknown): LimitSettings {
  if (!isRecord(settings)) throw badInput('settings', settings, 'a JSON object like {"perNode": 4}');
  const common = Object.fromEntries(Object.entries(settings).filter(([name]) => !LIMITED_KINDS.some((kind) => kind === name)));
  const named = LIMITED_KINDS.flatMap((kind) => (settings[kind] === undefined ? [] : [[kind, readNamed(kind, settings[kind])] as const]));
  return { ...readLimits(common, { known: LIMIT_NAMES, where: null }), ...Object.fromEntries(named) };
}

function readNamed(kind: LimitedKind, named: unknown): Readonly<Record<string, OwnLimits>> {
  if (!isRecord(named)) throw badInput(kind, named, 'a JSON object of names with limits');
  const { isName, must } = NAMES_OF[kind];
  return Object.fromEntries(
    Object.entries(named).map(([name, own]) => {
      if (!isName(name)) throw badInput(kind, name, must);
      if (!isRecord(own)) throw badInput(`${kind}.${name}`, own, 'a JSON object of limits');
      return [name, readLimits(own, { known: OWN_LIMITS[kind], where: `${kind}.${name}` })];
    }),
  );
}

/** `where` null: for all of a kind. */
function readLimits(limits: Readonly<Record<string, unknown>>, { known, where }: { known: readonly LimitName[]; where: string | null }): OwnLimits {
  const prefix = where === null ? '' : `${where}.`;
  refuseUnknownFields(limits, { known, prefix });
  const own = where !== null;
  return Object.fromEntries(
    known.flatMap((limit): [LimitName, number | null][] => {
      const value = limits[limit];
      if (value === undefined) return [];
      if (!isLimit(value, limit, { own })) throw badInput(`${prefix}${limit}`, value, limitRule(limit, { own }).must);
      return [[limit, value]];
    }),
  );
}

function isNodeName(name: string): boolean {
  try {
    parseNodeName(name);
    return true;
  } catch {
    return false;
  }
}
