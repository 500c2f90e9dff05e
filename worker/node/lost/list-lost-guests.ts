import type { NodeName, Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { LostGuest, LostGuests } from '../../../src/domain/lost-guest.js';
import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import { parseContainerConfig } from '../../../src/schema/container-config.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { guestVolumes } from '../../../src/schema/guest-config-volumes.js';
import { guestNeeds } from '../../../src/schema/guest-needs.js';
import type { GuestNote } from '../../../src/domain/guest-note.js';
import type { NodeContext } from '../node-context.js';
import { sharedStorages } from '../notes/note-home.js';

const MIB = 1_048_576;

type Unusable = LostGuests['unusable'][number];

/**
 * What this node's shared storages, and its own records, say of the guests of `lost`. Changes nothing, and decides nothing: who takes one of them looks
 * again. So a storage that is sick hides its own guests only; and all are read at once, since each may keep its reader waiting.
 */
export async function listLostGuests(node: NodeContext, lost: NodeName): Promise<LostGuests> {
  const found = await Promise.all((await sharedStorages(node)).map((storage) => listOn(storage, lost)));
  return {
    guests: found.flatMap(({ guests }) => guests),
    unusable: found.flatMap(({ unusable }) => unusable),
    handedOver: await handedOverTo(node, lost),
  };
}

async function listOn(storage: StorageDriver, lost: NodeName): Promise<Pick<LostGuests, 'guests' | 'unusable'>> {
  const guests: LostGuest[] = [];
  const unusable: Unusable[] = [];
  try {
    for (const vmid of await storage.notes.list()) {
      try {
        const guest = await readLost(storage, { vmid, lost });
        if (guest !== null) guests.push(guest);
      } catch (error) {
        unusable.push({ vmid, reason: reasonOf(error) });
      }
    }
  } catch (error) {
    unusable.push({ vmid: null, reason: reasonOf(error) });
  }
  return { guests, unusable };
}

async function readLost(storage: StorageDriver, { vmid, lost }: { vmid: Vmid; lost: NodeName }): Promise<LostGuest | null> {
  const newest = await storage.notes.newest(vmid);
  if (newest?.owner !== lost) return null;
  const note = await storage.notes.read(vmid);
  return note === null ? null : { vmid, kind: note.kind, wanted: note.wanted, newest, storage: storage.id, ...needsOf(note) };
}

function needsOf({ kind, config }: GuestNote): Pick<LostGuest, 'name' | 'memoryBytes' | 'cores' | 'bridges' | 'storages' | 'startOrder'> {
  const parsed = kind === 'lxc' ? { kind: 'ct' as const, config: parseContainerConfig(config) } : { kind: 'vm' as const, config: parseGuestConfig(config) };
  const { text } = parsed.config;
  const { cores, nets } = guestNeeds(parsed);
  const order = /(?:^|,)(?:order=)?(\d+)(?:,|$)/.exec(text.entries.find(({ key }) => key === 'startup')?.value ?? '')?.[1];
  return {
    name: (parsed.kind === 'ct' ? parsed.config.hostname : parsed.config.name) ?? '',
    memoryBytes: parsed.config.memoryMiB * MIB,
    cores,
    bridges: [...new Set(nets.flatMap(({ bridge }) => (bridge === null ? [] : [bridge])))],
    storages: [...new Set(guestVolumes(parsed.kind, text).flatMap(({ storage, role }) => (storage === null || role === 'unused' ? [] : [storage])))],
    startOrder: order === undefined ? null : Number(order),
  };
}

/** Their config is removed once the hand-over has been confirmed and released: until then the storage may still name this node. */
async function handedOverTo(node: NodeContext, lost: NodeName): Promise<readonly Vmid[]> {
  const found: Vmid[] = [];
  const configs = await node.guestConfigs.list();
  for (const vmid of await node.records.list()) {
    const view = await node.records.read(vmid);
    if (view.kind === 'record' && view.record.state === 'released' && view.record.peer === lost && configs.includes(vmid)) found.push(vmid);
  }
  return found;
}

function reasonOf(error: unknown): string {
  if (error instanceof KedgeError) return error.message;
  throw error;
}
