import { GUEST_CONFIGS, tableOfSection, unquote } from './check-guest-config.js';
import { decodeDescription } from './config-description.js';
import type { ConfigPart, ConfigSection, ConfigText } from './guest-config-text.js';
import { valueJson, type JsonValue } from './value-json.js';
import { typeOfKey, type KeyTable } from './value-type.js';

type GuestKind = keyof typeof GUEST_CONFIGS;

export interface PartJson {
  /** null: there is none. */
  readonly description: string | null;
  readonly values: Readonly<Record<string, JsonValue>>;
  /** Raw lines of LXC, in their order; only of containers that have some. */
  readonly lxc?: readonly { readonly key: string; readonly value: string }[];
}

/** A guest's config as plain JSON: flags as booleans, numbers as numbers, property strings as objects, what can't be read as it stands. */
export interface GuestConfigJson extends PartJson {
  readonly pending: PartJson | null;
  readonly special: Readonly<Record<string, PartJson>>;
  readonly snapshots: Readonly<Record<string, PartJson>>;
}

/** Turns a config into plain JSON; unknown sections have no place in it. */
export function guestConfigJson(kind: GuestKind, text: ConfigText): GuestConfigJson {
  const ofKind = (wanted: ConfigSection['kind']): Readonly<Record<string, PartJson>> =>
    Object.fromEntries(
      text.sections
        .filter((section) => section.kind === wanted)
        .map((section) => [section.name.replace(/^special:/, ''), partJson(kind, section, tableOfSection(kind, section.name))]),
    );
  return {
    ...partJson(kind, text, GUEST_CONFIGS[kind].keys),
    pending: Object.values(ofKind('pending'))[0] ?? null,
    special: ofKind('special'),
    snapshots: ofKind('snapshot'),
  };
}

function partJson(kind: GuestKind, part: ConfigPart, keys: KeyTable | undefined): PartJson {
  const description = decodeDescription(part.descriptionLines);
  return {
    description: part.descriptionLines.length === 0 ? null : description.trimEnd(),
    values: Object.fromEntries(
      part.entries.map((entry) => [entry.key, valueJson(keys === undefined ? undefined : typeOfKey(keys, entry.key), unquote(kind, entry))]),
    ),
    ...(part.rawEntries.length === 0 ? {} : { lxc: part.rawEntries.map(({ key, value }) => ({ key, value })) }),
  };
}
