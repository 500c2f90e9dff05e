import { CONTAINER_KEYS } from './container-config-schema.js';
import { DATACENTER_KEYS } from './datacenter-config-schema.js';
import { VM_KEYS } from './guest-config-schema.js';
import { typeOfKey, type KeyTable } from './value-type.js';

/** The kinds of config files of PVE that Kedge reads. */
export const CONFIG_KINDS = ['vm', 'ct', 'storage', 'datacenter'] as const;
export type ConfigKind = (typeof CONFIG_KINDS)[number];

const TABLES: readonly (readonly [ConfigKind, KeyTable])[] = [
  ['vm', VM_KEYS],
  ['ct', CONTAINER_KEYS],
  ['datacenter', DATACENTER_KEYS],
];

/** The kind of a config file, by its path as PVE names files, else by the keys in it; undefined: both leave it open. */
export function guessConfigKind(path: string, source: string): ConfigKind | undefined {
  const [folder, name] = path.split('/').slice(-2);
  if ((name ?? folder) === 'storage.cfg') return 'storage';
  if ((name ?? folder) === 'datacenter.cfg') return 'datacenter';
  if (name !== undefined && folder === 'qemu-server') return 'vm';
  if (name !== undefined && folder === 'lxc') return 'ct';
  return guessByContents(source);
}

function guessByContents(source: string): ConfigKind | undefined {
  if (/^[a-z]+:[ \t]*\S+[ \t]*\r?\n[ \t]+\S/m.test(source)) return 'storage';
  const keys = [...source.matchAll(/^([a-z][a-z_-]*\d*):/gm)].map((match) => match[1] ?? '');
  const isRaw = /^lxc\./m.test(source);
  const counts = TABLES.map(([kind, table]) => ({
    kind,
    known: keys.filter((key) => typeOfKey(table, key) !== undefined).length + (isRaw && kind === 'ct' ? 1 : 0),
  }));
  const [best, second] = counts.toSorted((left, right) => right.known - left.known);
  return best === undefined || best.known === second?.known ? undefined : best.kind;
}
