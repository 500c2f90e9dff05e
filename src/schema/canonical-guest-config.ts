import { canonicalDescription } from './config-description.js';
import { GUEST_CONFIGS, tableOfSection, unquote } from './check-guest-config.js';
import type { ConfigEntry, ConfigPart, ConfigText } from './guest-config-text.js';
import { guestVolumes } from './guest-config-volumes.js';
import { parsePveBoolean } from './property-string.js';
import { typeOfKey, type KeyTable } from './value-type.js';

type GuestKind = keyof typeof GUEST_CONFIGS;

/**
 * The config as PVE would write it after it read it: one spelling of flags and numbers, today's names of old keys, no volume that is
 * unused and used at once. Unlike PVE it keeps unknown keys and sections, and values that PVE could not read. Print it with `printConfigText`.
 */
export function canonicalGuestConfig(kind: GuestKind, text: ConfigText): ConfigText {
  const sections = text.sections
    .map((section) => ({
      ...section,
      ...canonicalPart(kind, section, tableOfSection(kind, section.name)),
      descriptionLines: sectionDescription(kind, section),
    }))
    .filter(({ kind: ofSection, name, ...part }) => !(ofSection === 'pending' && isEmpty(part)) && !(name === 'special:cloudinit' && !hasCloudInit(text)));
  const main = canonicalPart(kind, text, GUEST_CONFIGS[kind].keys);
  return { ...main, entries: mainEntries(kind, { text, entries: main.entries }), sections };
}

function canonicalPart(kind: GuestKind, part: ConfigPart, keys: KeyTable | undefined): ConfigPart {
  return {
    descriptionLines: canonicalDescription(part.descriptionLines),
    entries: part.entries.map((entry) => ({
      ...entry,
      key: kind === 'vm' && entry.key === 'cdrom' ? 'ide2' : entry.key,
      value: keys === undefined ? entry.value : canonicalValue(kind, entry, keys),
    })),
    rawEntries: part.rawEntries,
  };
}

function canonicalValue(kind: GuestKind, entry: ConfigEntry, keys: KeyTable): string {
  const { value } = entry;
  switch (typeOfKey(keys, entry.key)?.type) {
    case 'boolean': {
      const flag = parsePveBoolean(value);
      return flag === undefined ? value : flag ? '1' : '0';
    }
    case 'integer':
      return /^\d+$/.test(value) ? value.replace(/^0+(?=\d)/, '') : value;
    case 'number':
    case 'word':
    case 'text':
    case 'list':
    case 'properties':
    case undefined:
      return unquote(kind, entry);
  }
}

/** An empty description among pending changes says that the description is to be removed. */
function sectionDescription(kind: GuestKind, section: ConfigPart & { readonly kind: string }): readonly string[] {
  const lines = canonicalDescription(section.descriptionLines);
  return kind === 'vm' && section.kind === 'pending' && lines.length === 0 && section.descriptionLines.length > 0 ? [''] : lines;
}

function mainEntries(kind: GuestKind, { text, entries }: { text: ConfigText; entries: readonly ConfigEntry[] }): readonly ConfigEntry[] {
  const used = usedVolumes(kind, text);
  const kept = entries.filter(({ key, value }) => key !== 'snapstate' && !(/^unused\d+$/.test(key) && used.has(value)));
  if (kind === 'ct' || !kept.some(({ key }) => key === 'smp')) return kept;
  // PVE before 2.0 counted processors; its number of cores meant nothing.
  if (kept.some(({ key }) => key === 'sockets')) return kept.filter(({ key }) => key !== 'smp');
  return kept.filter(({ key }) => key !== 'cores').map((entry) => (entry.key === 'smp' ? { ...entry, key: 'sockets' } : entry));
}

/** Volumes of drives and mount points; of a VM those of pending changes, too. */
function usedVolumes(kind: GuestKind, text: ConfigText): ReadonlySet<string> {
  const counts = (section: string): boolean => section === '' || (kind === 'vm' && section === 'PENDING');
  return new Set(
    guestVolumes(kind, text)
      .filter(({ references }) => references.some(({ section, key }) => counts(section) && !/^(?:unused\d+|vmstate)$/.test(key)))
      .map(({ volume }) => volume),
  );
}

function hasCloudInit(text: ConfigText): boolean {
  return guestVolumes('vm', text).some(({ role, references }) => role === 'cloudinit' && references.some(({ section }) => section === ''));
}

function isEmpty(part: ConfigPart): boolean {
  return part.descriptionLines.length === 0 && part.entries.length === 0 && part.rawEntries.length === 0;
}
