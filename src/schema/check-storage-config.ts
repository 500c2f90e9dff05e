import { checkValue } from './check-value.js';
import type { ConfigProblem } from './config-problem.js';
import { readSectionConfig, type Section, type SectionProperty } from './section-config.js';
import { STORAGE_KEYS, STORAGE_TYPES } from './storage-config-schema.js';
import { storageId } from './value-formats.js';
import { typeOfKey, type ValueType } from './value-type.js';

/** Reads storage.cfg and everything that is wrong with it, in the order of its lines. Never throws. */
export function checkStorageConfig(source: string): { readonly sections: readonly Section[]; readonly problems: readonly ConfigProblem[] } {
  const { sections, problems } = readSectionConfig(source);
  const found = [...problems, ...sections.flatMap(checkStorage)];
  return { sections, problems: found.toSorted((left, right) => left.line - right.line || left.column - right.column) };
}

/** The sections as PVE would write them: flags as 0 and 1, `disable` and what the type needs first, the rest by name. */
export function canonicalStorageConfig(sections: readonly Section[]): readonly Section[] {
  return sections.map((section) => {
    const required = STORAGE_TYPES[section.type] ?? [];
    const rank = ({ key }: SectionProperty): number => (key === 'comment' ? 0 : key === 'disable' ? 1 : required.includes(key) ? 2 : 3);
    const properties = section.properties
      .map((property) => (property.value === null && isFlag(property.key) ? { ...property, value: '1' } : property))
      .filter(({ key, value }) => !(key === 'disable' && value === '0'))
      .map((property) => (property.key === 'disable' && property.value === '1' ? { ...property, value: null } : property));
    return { ...section, properties: properties.toSorted((left, right) => rank(left) - rank(right) || (left.key < right.key ? -1 : 1)) };
  });
}

/** Is this the name of a property that may stand without a value? */
export function isFlag(key: string): boolean {
  return typeOfKey(STORAGE_KEYS, key)?.type === 'boolean';
}

/** All that is wrong with one storage. */
export function checkStorage(section: Section): readonly ConfigProblem[] {
  const { type, id, line } = section;
  const problems: ConfigProblem[] = [];
  if (storageId.type === 'text' && !storageId.fits(id)) {
    problems.push({ severity: 'error', line, column: type.length + 3, message: `storage is "${id}", must be ${storageId.must}` });
  }
  const required = Object.hasOwn(STORAGE_TYPES, type) ? STORAGE_TYPES[type] : undefined;
  if (required === undefined) problems.push({ severity: 'warning', line, column: 1, message: `storage type "${type}" is unknown, it is kept as it is` });
  const missing = (required ?? []).filter((name) => !section.properties.some(({ key }) => key === name));
  for (const name of missing) problems.push({ severity: 'error', line, column: 1, message: `storage "${id}" of type ${type} needs ${name}` });
  return [...problems, ...section.properties.flatMap((property) => checkProperty(property, required !== undefined))];
}

function checkProperty({ key, value, line, column }: SectionProperty, knownType: boolean): readonly ConfigProblem[] {
  const type = typeOfKey(STORAGE_KEYS, key);
  if (type === undefined) return knownType ? [{ severity: 'warning', line, column: 2, message: `property "${key}" is unknown, it is kept as it is` }] : [];
  if (value === null) return isFlag(key) ? [] : [{ severity: 'error', line, column, message: `${key} has no value` }];
  return checkPropertyValue(key, { type, value }).map(({ offset, message }) => ({ severity: 'error', line, column: column + offset, message }));
}

/** Here, unlike in guest configs, PVE takes no other spelling of a flag than 0 and 1. */
function checkPropertyValue(key: string, { type, value }: { type: ValueType; value: string }): ReturnType<typeof checkValue> {
  if (type.type === 'boolean' && !/^[01]$/.test(value)) return [{ offset: 0, message: `${key} is "${value}", must be 0 or 1` }];
  return checkValue(key, type, value);
}
