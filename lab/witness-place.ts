import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { GuestKind } from '../src/domain/ownership.js';
import type { LabState, Machine } from './lab-state.js';
import { isAlive, processesInside } from './processes.js';
import { containersOf, guestsOf, insidePath } from './status.js';
import { JOURNAL_FILE } from './witness/witness-container-config.js';

/** Where a local storage of a node keeps images and folders. */
const LOCAL_IMAGES = '/var/lib/kedge/images/images';

/** What the lab knows of a witness, from its config on the node that runs it, else on any node that has one. */
export interface WitnessPlace {
  readonly kind: GuestKind;
  /** The image or file with its journal as the host reaches it; null when it has no disk, or no node with power has its config. */
  readonly journal: string | null;
}

/** Finds a witness in the lab. */
export function witnessPlace(lab: LabState, vmid: number): WitnessPlace {
  const places = lab.machines.flatMap((machine) => placesOf(machine, vmid));
  const place = places.find(({ runs }) => runs) ?? places[0];
  if (place === undefined) return { kind: 'qemu', journal: null };
  const { kind } = place;
  const pattern = kind === 'lxc' ? /^rootfs: *([^:,\s]+):(\d+\/[^,\s]+)/m : /^virtio0: *([^:,\s]+):(\d+\/[^,\s]+)/m;
  const [, storage, file = ''] = pattern.exec(place.config) ?? [];
  if (storage === undefined) return { kind, journal: null };
  const volume = storage === 'shared' ? join(lab.sharedFolder, 'images', file) : insidePath(place.init, join(LOCAL_IMAGES, file));
  return { kind, journal: kind === 'lxc' ? join(volume, JOURNAL_FILE) : volume };
}

/** @throws KedgeError `lab-failed` when the observer is not there, with the way to build it */
export function observerSocket(lab: LabState): string {
  if (existsSync(lab.observer.socket)) return lab.observer.socket;
  throw new KedgeError('lab-failed', `Cannot ask the observer of lab "${lab.name}": it does not run`, {
    details: { remedy: 'Build it with "npm run setup", then start the lab anew' },
  });
}

function placesOf(machine: Machine, vmid: number) {
  const { init, role } = machine;
  if (role !== 'node' || init === null || !isAlive(init)) return [];
  const processes = processesInside(init);
  const running = { qemu: guestsOf(init, processes), lxc: containersOf(processes) };
  return (['qemu', 'lxc'] as const).flatMap((kind) => {
    const file = insidePath(init, `/etc/kedge/${kind === 'qemu' ? 'qemu-server' : 'lxc'}/${vmid}.conf`);
    if (!existsSync(file)) return [];
    return [{ kind, init, runs: running[kind].some((guest) => guest.vmid === vmid), config: readFileSync(file, 'utf8') }];
  });
}
