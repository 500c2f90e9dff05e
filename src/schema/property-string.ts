/** PVE's property strings: `value,key=value,…`, with one bare value for the schema's default key. */

/** Settings in the order of their appearance; a bare value has the default key. */
export type PropertyString = ReadonlyMap<string, string>;

/** A property string that can't be read; `offset` counts characters from its start, for the column of a message. */
export class PropertyStringError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.name = 'PropertyStringError';
    this.offset = offset;
  }
}

/** One part between two commas; `offset` counts characters from the start of the string, `valueOffset` likewise. */
export interface PropertyPart {
  /** null: a bare value. */
  readonly key: string | null;
  readonly value: string;
  readonly offset: number;
  readonly valueOffset: number;
}

/** Splits a property string at its commas and each part at its first `=`, as it is; parts of blanks are left out. */
export function splitProperties(text: string): readonly PropertyPart[] {
  const parts: PropertyPart[] = [];
  let offset = 0;
  for (const part of text.split(',')) {
    const equals = part.indexOf('=');
    if (part.trim() !== '')
      parts.push({ key: equals === -1 ? null : part.slice(0, equals), value: part.slice(equals + 1), offset, valueOffset: offset + equals + 1 });
    offset += part.length + 1;
  }
  return parts;
}

/**
 * Parses a property string: parts between commas, the first `=` splits, empty parts are skipped, nothing is escaped.
 * Blanks around a part are forgiven here (PVE refuses them, see `checkValue`). `aliases` maps other spellings of a key to its name.
 * @throws PropertyStringError duplicate key, or a second bare value
 */
export function parsePropertyString(
  text: string,
  options: { readonly defaultKey?: string; readonly aliases?: Readonly<Record<string, string>> } = {},
): PropertyString {
  const properties = new Map<string, string>();
  for (const part of splitProperties(text)) {
    const written = part.key === null ? options.defaultKey : part.key.trimStart();
    const value = part.key === null ? part.value.trim() : part.value.trimEnd();
    if (written === undefined) throw new PropertyStringError(`value "${value}" has no key`, part.offset);
    const key = (Object.hasOwn(options.aliases ?? {}, written) ? options.aliases?.[written] : undefined) ?? written;
    if (key === '') throw new PropertyStringError('a key is missing before "="', part.offset);
    if (properties.has(key)) throw new PropertyStringError(`key "${key}" is given twice`, part.offset);
    properties.set(key, value);
  }
  return properties;
}

/** Prints in PVE's order: the default key bare, then the rest by name. */
export function printPropertyString(properties: PropertyString, options: { readonly defaultKey?: string } = {}): string {
  const bare = options.defaultKey === undefined ? undefined : properties.get(options.defaultKey);
  const rest = [...properties]
    .filter(([key]) => key !== options.defaultKey)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${value}`);
  return (bare === undefined ? rest : [bare, ...rest]).join(',');
}

/** Names of the options that are none of `known`, unless they are switched off. */
export function optionsBeyond(options: PropertyString, known: readonly string[]): readonly string[] {
  return [...options].filter(([name, value]) => !known.includes(name) && parsePveBoolean(value) !== false).map(([name]) => name);
}

/** PVE's booleans: 1/on/yes/true and 0/off/no/false in any case; undefined for anything else. */
export function parsePveBoolean(text: string): boolean | undefined {
  if (/^(?:1|on|yes|true)$/i.test(text)) return true;
  return /^(?:0|off|no|false)$/i.test(text) ? false : undefined;
}

/** PVE's sizes (`4G`, `512M`, plain bytes; binary multiples) in bytes; undefined for anything else. */
export function parsePveSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(?:([KMGT])(?:iB)?)?$/.exec(text);
  if (match?.[1] === undefined) return undefined;
  return Math.floor(Number(match[1]) * 1_024 ** ' KMGT'.indexOf(match[2] ?? ' '));
}
