import type { GuestKind } from '../domain/ownership.js';
import { parseConfigText } from './guest-config-text.js';
import { guestVolumes } from './guest-config-volumes.js';

/**
 * The volumes that only one of two configs of a guest names, or that the two use in another way: what was found out about the volumes of one
 * is not true of the other.
 * @throws KedgeError `bad-config`
 */
export function changedVolumes(kind: GuestKind, before: string, after: string): readonly string[] {
  const [old, present] = [usesOf(kind, before), usesOf(kind, after)];
  return [...new Set([...old.keys(), ...present.keys()])].filter((volume) => old.get(volume) !== present.get(volume)).sort();
}

function usesOf(kind: GuestKind, config: string): ReadonlyMap<string, string> {
  return new Map(guestVolumes(kind === 'lxc' ? 'ct' : 'vm', parseConfigText(config)).map(({ volume, role, shared }) => [volume, `${role} ${shared}`]));
}
