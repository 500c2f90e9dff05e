import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { Vmid } from '../../../src/domain/ids.js';
import type { GuestKind } from '../../../src/domain/ownership.js';
import { CONTAINER_DIALECT, VM_DIALECT } from '../../../src/schema/guest-config-dialect.js';
import { readConfigText, type ConfigText } from '../../../src/schema/guest-config-text.js';
import { guestVolumes } from '../../../src/schema/guest-config-volumes.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { parseContainerConfig } from '../guests/container-start.js';

/** What the checks must know of a guest's config, of either kind. */
export interface GuestDescription {
  readonly name: string;
  readonly memoryBytes: number;
  readonly bridges: readonly string[];
  /** Of all its volumes, those of snapshots too. */
  readonly storages: readonly string[];
  /** PVE's lock; null when it is free. */
  readonly lock: string | null;
  readonly text: ConfigText;
}

/** Reads a config; answers the reason where it can't be read. */
export function describeGuest(guest: {
  readonly vmid: Vmid;
  readonly kind: GuestKind;
  readonly config: string;
}): GuestDescription | { readonly unreadable: string } {
  try {
    return guest.kind === 'lxc' ? describeContainer(guest) : describeMachine(guest);
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { unreadable: error.message };
  }
}

function describeMachine({ vmid, config: source }: { readonly vmid: Vmid; readonly config: string }): GuestDescription {
  const config = parseGuestConfig(source);
  const { text } = readConfigText(source, VM_DIALECT);
  return {
    name: config.name ?? `vm${vmid}`,
    memoryBytes: config.memoryMiB * 2 ** 20,
    bridges: config.nets.flatMap(({ bridge }) => bridge ?? []),
    storages: guestVolumes('vm', text).flatMap(({ storage }) => storage ?? []),
    lock: config.lock,
    text,
  };
}

function describeContainer({ config: source }: { readonly config: string }): GuestDescription {
  const config = parseContainerConfig(source);
  const { text } = readConfigText(source, CONTAINER_DIALECT);
  return {
    name: config.hostname,
    memoryBytes: config.memoryBytes,
    bridges: config.start.nets.flatMap(({ bridge }) => bridge ?? []),
    storages: guestVolumes('ct', text).flatMap(({ storage }) => storage ?? []),
    lock: text.entries.find(({ key }) => key === 'lock')?.value ?? null,
    text,
  };
}
