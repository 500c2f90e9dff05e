import type { Finding } from '../../../src/domain/checks.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { MovingVolume } from '../../../src/domain/moving-volume.js';
import type { StorageFacts } from '../../../src/domain/node-facts.js';
import type { GuestKind } from '../../../src/domain/ownership.js';
import type { StorageDriver } from '../../../src/drivers/storage/driver.js';
import { readImageFacts } from '../../../src/drivers/storage/image-facts.js';
import { parseVolumeId, type VolumeId } from '../../../src/drivers/storage/volume-id.js';
import { whyNotCopied } from '../../../src/drivers/storage/why-not-copied.js';
import type { ConfigText } from '../../../src/schema/guest-config-text.js';
import { guestVolumes, type GuestVolume } from '../../../src/schema/guest-config-volumes.js';
import type { NodeContext } from '../node-context.js';
import { storageOf } from '../offline/storage-of.js';

/**
 * The volumes that move when the guest moves switched off, and everything that keeps one from it. Changes nothing; images are only looked
 * at, also while the guest runs.
 */
export async function inspectVolumes(
  node: NodeContext,
  guest: { readonly kind: GuestKind; readonly text: ConfigText; readonly storages: readonly StorageFacts[] },
): Promise<{ volumes: readonly MovingVolume[]; findings: readonly Finding[] }> {
  const local = guestVolumes(guest.kind === 'lxc' ? 'ct' : 'vm', guest.text).filter((volume) => !isShared(volume, guest.storages));
  const looks = await Promise.all(local.map((volume) => inspectVolume(node, volume)));
  return { volumes: looks.flatMap(({ moving }) => (moving === null ? [] : [moving])), findings: looks.flatMap(({ findings }) => findings) };
}

function isShared({ storage, shared }: GuestVolume, storages: readonly StorageFacts[]): boolean {
  return shared || storages.some(({ id, shared: all }) => id === storage && all);
}

interface VolumeLook {
  readonly moving: MovingVolume | null;
  readonly findings: readonly Finding[];
}

async function inspectVolume(node: NodeContext, volume: GuestVolume): Promise<VolumeLook> {
  const where = volume.references.map(({ key }) => key).join(', ');
  if (volume.storage === null)
    return refused(
      'local-device',
      `${where} is ${volume.volume} of this node, which no other has`,
      `Remove ${where} from the guest's config, or add shared=1 if every node has it`,
    );
  if (volume.role === 'cdrom')
    return refused(
      'volume-not-movable',
      `${where} has the medium ${volume.volume}, which lies on a storage of this node alone`,
      `Eject it: set ${where} to none,media=cdrom`,
    );
  const id = parseOrNull(volume.volume);
  if (id === null)
    return refused(
      'volume-not-movable',
      `${volume.volume} (${where}) is of a kind that Kedge can't copy`,
      'Convert it to raw or qcow2, or move it to a shared storage',
    );
  try {
    const storage = await storageOf(node, volume.volume);
    const { virtualBytes, allocatedBytes } = await storage.size(volume.volume);
    const moving: MovingVolume = { volumeId: volume.volume, storage: id.storage, format: id.format, virtualBytes, allocatedBytes };
    return { moving, findings: [...(await obstaclesOf(storage, { id, volume: volume.volume })), ...(await clonesOf(node, { id, volume: volume.volume }))] };
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return refused(
      'volume-missing',
      `Volume ${volume.volume} (${where}) can't be read: ${error.message}`,
      `Bring it back, or remove ${where} from the guest's config`,
    );
  }
}

async function obstaclesOf(storage: StorageDriver, { id, volume }: { id: VolumeId; volume: string }): Promise<readonly Finding[]> {
  if (id.format === 'subvol') return [];
  const { path, format } = storage.imagePath(volume);
  return whyNotCopied(volume, await readImageFacts(path, format)).map(({ text, remedy }) => ({ id: 'volume-not-movable', severity: 'blocker', text, remedy }));
}

/** The source of a template's disk goes with the hand-over, and linked clones of it would lose what they build on. */
async function clonesOf(node: NodeContext, { id, volume }: { id: VolumeId; volume: string }): Promise<readonly Finding[]> {
  if (id.kind !== 'base') return [];
  const texts = await Promise.all((await node.guestConfigs.list()).map(async (vmid) => ({ vmid, text: await node.guestConfigs.read(vmid) })));
  const clones = texts.filter(({ text }) => text.includes(`${volume}/`)).map(({ vmid }) => vmid);
  if (clones.length === 0) return [];
  return refused('volume-not-movable', `${volume} is the base of linked clones: guests ${clones.join(', ')}`, 'Make full images of the clones first').findings;
}

function refused(id: Finding['id'], text: string, remedy: string): VolumeLook {
  return { moving: null, findings: [{ id, severity: 'blocker', text, remedy }] };
}

function parseOrNull(text: string): VolumeId | null {
  try {
    return parseVolumeId(text);
  } catch {
    return null;
  }
}
