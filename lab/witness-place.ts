import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { KedgeError } from '../src/domain/kedge-error.js';
import type { LabState, Machine } from './lab-state.js';
import { isAlive, processesInside } from './processes.js';
import { guestsOf, insidePath } from './status.js';

/**
 * The image with a witness's journal as the host reaches it; null when the guest has no disk or its node no power.
 * Read from the config on the node that runs the guest, else on any node that has one.
 */
export function journalImage(lab: LabState, vmid: number): string | null {
  const places = lab.machines.flatMap((machine) => placeOf(machine, vmid));
  const place = places.find(({ runs }) => runs) ?? places[0];
  const volume = place === undefined ? null : /^virtio0: *([^:,\s]+):(\d+\/[^,\s]+)/m.exec(place.config);
  if (place === undefined || volume === null) return null;
  const [, storage, file = ''] = volume;
  if (storage === 'shared') return join(lab.sharedFolder, 'images', file);
  return insidePath(place.init, join('/var/lib/kedge/images/images', file));
}

/** @throws KedgeError `lab-failed` when the observer is not there, with the way to build it */
export function observerSocket(lab: LabState): string {
  if (existsSync(lab.observer.socket)) return lab.observer.socket;
  throw new KedgeError('lab-failed', `Cannot ask the observer of lab "${lab.name}": it does not run`, {
    details: { remedy: 'Build it with "npm run setup", then start the lab anew' },
  });
}

function placeOf(machine: Machine, vmid: number) {
  const { init, role } = machine;
  if (role !== 'node' || init === null || !isAlive(init)) return [];
  const file = insidePath(init, `/etc/kedge/qemu-server/${vmid}.conf`);
  if (!existsSync(file)) return [];
  const runs = guestsOf(init, processesInside(init)).some((guest) => guest.vmid === vmid);
  return [{ init, runs, config: readFileSync(file, 'utf8') }];
}
