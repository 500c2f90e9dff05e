import { canonicalGuestConfig } from './canonical-guest-config.js';
import { canonicalStorageConfig, checkStorageConfig, isFlag } from './check-storage-config.js';
import { checkDatacenterConfig, printDatacenterConfig } from './check-datacenter-config.js';
import { checkGuestConfig } from './check-guest-config.js';
import { decodeDescription } from './config-description.js';
import type { ConfigKind } from './config-kind.js';
import type { ConfigProblem } from './config-problem.js';
import { DATACENTER_KEYS } from './datacenter-config-schema.js';
import { guestConfigJson } from './guest-config-json.js';
import { printConfigText } from './print-config-text.js';
import { printSectionConfig } from './section-config.js';
import { STORAGE_KEYS } from './storage-config-schema.js';
import { valueJson } from './value-json.js';
import { typeOfKey } from './value-type.js';

/** A config file that was read, however bad it is. */
export interface CheckedConfig {
  readonly problems: readonly ConfigProblem[];
  /** The file as PVE would write it. */
  readonly canonical: () => string;
  /** The file as plain JSON. */
  readonly json: () => unknown;
}

/** Reads a config file of any kind and finds all that is wrong with it. Never throws. */
export function checkConfig(kind: ConfigKind, source: string): CheckedConfig {
  switch (kind) {
    case 'vm':
    case 'ct': {
      const { text, problems } = checkGuestConfig(kind, source);
      return { problems, canonical: () => printConfigText(canonicalGuestConfig(kind, text)), json: () => guestConfigJson(kind, text) };
    }
    case 'storage': {
      const { sections, problems } = checkStorageConfig(source);
      const json = (): unknown =>
        sections.map(({ type, id, properties }) => ({
          type,
          id,
          values: Object.fromEntries(
            properties.map(({ key, value }) => [key, value === null && isFlag(key) ? true : valueJson(typeOfKey(STORAGE_KEYS, key), value ?? '')]),
          ),
        }));
      return { problems, canonical: () => printSectionConfig(canonicalStorageConfig(sections)), json };
    }
    case 'datacenter': {
      const { problems, ...text } = checkDatacenterConfig(source);
      const { descriptionLines, entries } = text;
      const json = (): unknown => ({
        description: descriptionLines.length === 0 ? null : decodeDescription(descriptionLines).trimEnd(),
        values: Object.fromEntries(entries.map(({ key, value }) => [key, valueJson(typeOfKey(DATACENTER_KEYS, key), value)])),
      });
      return { problems, canonical: () => printDatacenterConfig(text), json };
    }
  }
}
