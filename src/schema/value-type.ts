/** The types that PVE's configs give to values, as data: the tables of keys are written with these. */

export type ScalarType =
  | { readonly type: 'boolean' }
  | { readonly type: 'integer'; readonly min: number; readonly max: number }
  | { readonly type: 'number'; readonly min: number; readonly max: number }
  | { readonly type: 'word'; readonly words: readonly string[] }
  /** `fits` judges the whole text, `must` says what it must be: "must be …". */
  | { readonly type: 'text'; readonly fits: (text: string) => boolean; readonly must: string };

/** A property string: `value,key=value,…`. */
export interface PropertyType {
  readonly type: 'properties';
  readonly options: Readonly<Record<string, ScalarType>>;
  readonly required: readonly string[];
  /** The option that a bare value sets. */
  readonly defaultKey: string | null;
  /** Other spellings of an option. */
  readonly aliases: Readonly<Record<string, string>>;
  /** Words that may stand for two options: `virtio=MAC` is `model=virtio,macaddr=MAC`. */
  readonly pair: { readonly words: readonly string[]; readonly word: string; readonly value: string } | null;
  /** What single options can't tell: the option at which it is wrong, and why. */
  readonly rule: ((properties: ReadonlyMap<string, string>) => { readonly option: string; readonly problem: string } | undefined) | null;
}

export type ValueType = ScalarType | PropertyType | { readonly type: 'list'; readonly of: ScalarType };

/** Which keys a file may have: single ones, and numbered ones such as `net0` to `net31`. */
export interface KeyTable {
  readonly single: Readonly<Record<string, ValueType>>;
  readonly numbered: Readonly<Record<string, { readonly count: number; readonly type: ValueType }>>;
}

/** The type of `key`; undefined: the table doesn't have it. */
export function typeOfKey(table: KeyTable, key: string): ValueType | undefined {
  if (Object.hasOwn(table.single, key)) return table.single[key];
  const [, name, number] = /^(.*?)(0|[1-9]\d*)$/.exec(key) ?? [];
  if (name === undefined || !Object.hasOwn(table.numbered, name)) return undefined;
  const row = table.numbered[name];
  return row !== undefined && Number(number) < row.count ? row.type : undefined;
}

export const boolean: ScalarType = { type: 'boolean' };

export function integer(min = 0, max = Number.MAX_SAFE_INTEGER): ScalarType {
  return { type: 'integer', min, max };
}

export function number(min = 0, max = Number.MAX_VALUE): ScalarType {
  return { type: 'number', min, max };
}

export function word(words: string): ScalarType {
  return { type: 'word', words: words.split(' ') };
}

export function text(fits: RegExp | ((text: string) => boolean), must: string): ScalarType {
  return { type: 'text', fits: typeof fits === 'function' ? fits : (value) => fits.test(value), must };
}

/** Text of any form. */
export const freeText: ScalarType = text(() => true, 'a text');

export function list(of: ScalarType): ValueType {
  return { type: 'list', of };
}

export function properties(options: PropertyType['options'], rest: Partial<Omit<PropertyType, 'type' | 'options'>> = {}): PropertyType {
  return { type: 'properties', options, required: [], defaultKey: null, aliases: {}, pair: null, rule: null, ...rest };
}
