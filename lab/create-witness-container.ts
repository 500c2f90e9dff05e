import { parseNodeName, parseVmid } from '../src/domain/ids.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import { awaitFirstTick } from './await-first-tick.js';
import { repositoryFolder } from './lab-folder.js';
import type { LabState } from './lab-state.js';
import { machineOf } from './lab-store.js';
import { isAlive } from './processes.js';
import { insidePath } from './status.js';
import { connectLab } from './wait-for-lab.js';
import { makeContainerTree } from './witness/make-container-tree.js';
import { witnessContainerConfig, witnessVolume, type WitnessContainer } from './witness/witness-container-config.js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Creates a witness container through the product, fills its empty folders as an installer would, and starts it; returns when it ticks.
 * @throws KedgeError as the product says, `lab-failed` without the witness program or a tick
 */
export async function createWitnessContainer(lab: LabState, container: WitnessContainer, options: { node: string; start: boolean }): Promise<void> {
  const { init } = machineOf(lab, options.node);
  if (init === null || !isAlive(init)) throw new KedgeError('lab-failed', `Cannot create witness ${container.vmid}: ${options.node} has no power`);
  const witness = join(repositoryFolder(), '.cache/guest/witness');
  if (!existsSync(witness))
    throw new KedgeError('lab-failed', `Cannot create witness ${container.vmid}: ${witness} does not exist, build it with "npm run setup"`);
  const node = parseNodeName(options.node);
  const vmid = parseVmid(container.vmid);
  const client = await connectLab(lab);
  try {
    await client.manageGuest({ node, command: { verb: 'create', vmid, kind: 'lxc', config: witnessContainerConfig(container) } });
    const folderOf = (disk: number): string => {
      const images = container.storage === 'shared' ? '/mnt/shared/images' : '/var/lib/kedge/images/images';
      return insidePath(init, join(images, witnessVolume(container, disk).slice(container.storage.length + 1)));
    };
    const mountPoints = Array.from({ length: container.mountPoints }, (_, index) => folderOf(index + 1));
    await makeContainerTree(container, [folderOf(0), ...mountPoints], witness);
    if (!options.start) return;
    await client.manageGuest({ node, command: { verb: 'start', vmid } });
  } finally {
    await client.close();
  }
  await awaitFirstTick(lab, container.vmid);
}
