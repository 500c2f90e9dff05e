import { splitPveList } from '../domain/split-pve-list.js';
import { parsePveBoolean, splitProperties, type PropertyPart } from './property-string.js';
import type { PropertyType, ScalarType, ValueType } from './value-type.js';

/** What is wrong with a value; `offset` counts characters from its start. */
export interface ValueProblem {
  readonly offset: number;
  readonly message: string;
}

/** All that PVE would refuse in the value of `key`. Empty: the value is fine. */
export function checkValue(key: string, type: ValueType, value: string): readonly ValueProblem[] {
  switch (type.type) {
    case 'properties':
      return checkProperties(key, type, value);
    case 'list':
      return checkList(key, type.of, value);
    default:
      return checkScalar(key, type, { value, offset: 0 });
  }
}

function checkScalar(name: string, type: ScalarType, { value, offset }: { value: string; offset: number }): readonly ValueProblem[] {
  const must = mustBe(type, value);
  return must === undefined ? [] : [{ offset, message: `${name} is "${value}", must be ${must}` }];
}

/** What `value` must be, unless it is. */
function mustBe(type: ScalarType, value: string): string | undefined {
  switch (type.type) {
    case 'boolean':
      return parsePveBoolean(value) === undefined ? '0 or 1' : undefined;
    case 'integer':
      return /^\d+$/.test(value) && isWithin(type, value) ? undefined : `a whole number ${rangeOf(type)}`;
    case 'number':
      return /^\d+(?:\.\d+)?$/.test(value) && isWithin(type, value) ? undefined : `a number ${rangeOf(type)}`;
    case 'word':
      return type.words.includes(value) ? undefined : `one of ${type.words.join(', ')}`;
    case 'text':
      return type.fits(value) ? undefined : type.must;
  }
}

function isWithin({ min, max }: { min: number; max: number }, value: string): boolean {
  return Number(value) >= min && Number(value) <= max;
}

function rangeOf({ min, max }: { min: number; max: number }): string {
  return max >= Number.MAX_SAFE_INTEGER ? `from ${String(min)}` : `from ${String(min)} to ${String(max)}`;
}

function checkList(key: string, type: ScalarType, value: string): readonly ValueProblem[] {
  return splitPveList(value).flatMap((item) => checkScalar(`part of ${key}`, type, { value: item, offset: value.indexOf(item) }));
}

function checkProperties(key: string, type: PropertyType, value: string): readonly ValueProblem[] {
  const problems: ValueProblem[] = [];
  const found = new Map<string, string>();
  const offsets = new Map<string, number>();
  const complain = (offset: number, problem: string): void => void problems.push({ offset, message: `${key}: ${problem}` });
  for (const part of splitProperties(value)) {
    const options = optionsOfPart(type, part);
    if (typeof options === 'string') {
      complain(part.offset, options);
      continue;
    }
    for (const option of options) {
      if (found.has(option.name)) {
        complain(part.offset, `${option.name} is given twice`);
        continue;
      }
      found.set(option.name, option.value);
      offsets.set(option.name, option.offset);
      problems.push(...checkScalar(`${key}: ${option.name}`, option.type, option));
    }
  }
  for (const name of type.required) if (!found.has(name)) complain(0, `${name} is missing`);
  const broken = problems.length === 0 ? type.rule?.(found) : undefined;
  if (broken !== undefined) complain(offsets.get(broken.option) ?? 0, broken.problem);
  return problems;
}

interface FoundOption {
  readonly name: string;
  readonly type: ScalarType;
  readonly value: string;
  readonly offset: number;
}

/** The options that a part sets, two of them when it is a pair as `virtio=MAC`; or why it sets none. */
export function optionsOfPart(type: PropertyType, { key, value, offset, valueOffset }: PropertyPart): readonly FoundOption[] | string {
  if (key === null) {
    return type.defaultKey === null ? `"${value}" needs a key: there is no option that stands alone` : option(type, { name: type.defaultKey, value, offset });
  }
  if (key === '' || value === '') return `"${key}=${value}" lacks its ${key === '' ? 'key' : 'value'}`;
  if (type.pair?.words.includes(key) === true) {
    const { word, value: name } = type.pair;
    const [first, second] = [option(type, { name: word, value: key, offset }), option(type, { name, value, offset: valueOffset })];
    return typeof first === 'string' ? first : typeof second === 'string' ? second : [...first, ...second];
  }
  const name = (Object.hasOwn(type.aliases, key) ? type.aliases[key] : undefined) ?? key;
  return option(type, { name, value, offset: valueOffset });
}

function option(type: PropertyType, found: { name: string; value: string; offset: number }): readonly FoundOption[] | string {
  const scalar = Object.hasOwn(type.options, found.name) ? type.options[found.name] : undefined;
  if (scalar !== undefined) return [{ ...found, type: scalar }];
  const blank = found.name === found.name.trim() ? '' : ', blanks around it are not allowed';
  return `there is no option "${found.name}"${blank}`;
}
