import { KedgeError } from '../../domain/kedge-error.js';
import type { GuestConfig } from '../../schema/guest-config.js';

/**
 * The UUID that both ends of a migration compare (`validate-uuid`): from `smbios1`, else made of the vmid, so that two
 * different guests never have the same. @throws KedgeError `bad-config` when it is none
 */
export function guestUuid(config: Pick<GuestConfig, 'smbios'>, vmid: number): string {
  const uuid = config.smbios.get('uuid');
  if (uuid === undefined) return `00000000-0000-4000-8000-${String(vmid).padStart(12, '0')}`;
  if (!/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(uuid)) {
    throw new KedgeError('bad-config', `Cannot read smbios1 of guest ${vmid}: uuid is "${uuid}", must be 8-4-4-4-12 hexadecimal digits`);
  }
  return uuid.toLowerCase();
}
