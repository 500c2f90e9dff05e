import { splitPveList } from '../domain/split-pve-list.js';
import { checkValue, optionsOfPart } from './check-value.js';
import { parsePveBoolean, splitProperties } from './property-string.js';
import type { ScalarType, ValueType } from './value-type.js';

export type JsonValue = string | number | boolean | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** A value as plain JSON; as it stands when its type is unknown or it isn't of its type. */
export function valueJson(type: ValueType | undefined, value: string): JsonValue {
  if (type === undefined || checkValue('', type, value).length > 0) return value;
  switch (type.type) {
    case 'list':
      return splitPveList(value).map((item) => scalarJson(type.of, item));
    case 'properties':
      return Object.fromEntries(
        splitProperties(value).flatMap((part) => {
          const options = optionsOfPart(type, part);
          return typeof options === 'string' ? [] : options.map((option) => [option.name, scalarJson(option.type, option.value)] as const);
        }),
      );
    default:
      return scalarJson(type, value);
  }
}

function scalarJson(type: ScalarType, value: string): string | number | boolean {
  switch (type.type) {
    case 'boolean':
      return parsePveBoolean(value) === true;
    case 'integer':
    case 'number':
      return Number(value);
    case 'word':
    case 'text':
      return value;
  }
}
