import { checkValue } from './check-value.js';
import type { ConfigProblem } from './config-problem.js';
import { CONTAINER_KEYS, refusedLxcKey } from './container-config-schema.js';
import { CONTAINER_DIALECT, VM_DIALECT } from './guest-config-dialect.js';
import { FLEECING_KEYS, QUOTABLE_KEYS, VM_KEYS } from './guest-config-schema.js';
import { readConfigText, type ConfigEntry, type ConfigPart, type ConfigText } from './guest-config-text.js';
import { typeOfKey, type KeyTable } from './value-type.js';

/** Both kinds of guests, with what their config files have of their own. */
export const GUEST_CONFIGS = {
  vm: { dialect: VM_DIALECT, keys: VM_KEYS, quotable: QUOTABLE_KEYS },
  ct: { dialect: CONTAINER_DIALECT, keys: CONTAINER_KEYS, quotable: null },
} as const;

/** Reads a guest's config file and everything that is wrong with it, in the order of its lines. Never throws. */
export function checkGuestConfig(kind: keyof typeof GUEST_CONFIGS, source: string): { readonly text: ConfigText; readonly problems: readonly ConfigProblem[] } {
  const { text, problems } = readConfigText(source, GUEST_CONFIGS[kind].dialect);
  const found = [
    ...problems,
    ...checkPart(text, kind, GUEST_CONFIGS[kind].keys),
    ...text.sections.flatMap((section) => {
      const keys = tableOfSection(kind, section.name);
      return keys === undefined ? [] : checkPart(section, kind, keys);
    }),
  ];
  return { text, problems: found.toSorted((left, right) => left.line - right.line || left.column - right.column) };
}

/** The keys that a section may have; undefined: PVE takes whatever stands there. */
export function tableOfSection(kind: keyof typeof GUEST_CONFIGS, name: string): KeyTable | undefined {
  if (name === 'special:cloudinit') return undefined;
  return name === 'special:fleecing' ? FLEECING_KEYS : GUEST_CONFIGS[kind].keys;
}

/** The value without quotes around it, where PVE takes them away. */
export function unquote(kind: keyof typeof GUEST_CONFIGS, { key, value }: ConfigEntry): string {
  return GUEST_CONFIGS[kind].quotable?.test(key) === true ? (/^"(.*)"$/.exec(value)?.[1] ?? value) : value;
}

function checkPart(part: ConfigPart, kind: keyof typeof GUEST_CONFIGS, keys: KeyTable): readonly ConfigProblem[] {
  const cdrom = part.entries.find(({ key }) => key === 'cdrom');
  const twice = kind === 'vm' && cdrom !== undefined && part.entries.some(({ key }) => key === 'ide2');
  return [
    ...part.entries.flatMap((entry) => checkEntry(entry, kind, keys)),
    ...part.rawEntries.flatMap(checkRawEntry),
    ...(twice ? [{ severity: 'error', line: cdrom.line, column: 1, message: 'cdrom is another name of ide2, which is given, too' } as const] : []),
  ];
}

/** All that is wrong with one key and its value. */
export function checkEntry(entry: ConfigEntry, kind: keyof typeof GUEST_CONFIGS, keys: KeyTable): readonly ConfigProblem[] {
  const { key, line, column } = entry;
  const type = typeOfKey(keys, key);
  if (type === undefined) return [{ severity: 'warning', line, column: 1, message: `key "${key}" is unknown, it is kept as it is` }];
  return checkValue(key, type, unquote(kind, entry)).map(({ offset, message }) => ({ severity: 'error', line, column: column + offset, message }));
}

function checkRawEntry({ key, line }: ConfigEntry): readonly ConfigProblem[] {
  const refused = refusedLxcKey(key);
  return refused === undefined ? [] : [{ severity: 'error', line, column: 1, message: refused }];
}
