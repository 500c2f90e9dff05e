import { about, finding, type Finding } from './checks.js';
import type { Vmid } from './ids.js';
import type { MigrationKind } from './migration.js';

export interface VolumeObstacle {
  readonly text: string;
  readonly remedy: string;
  /** The image that a linked clone was made from; null: another reason. Absent from an older Kedge. */
  readonly base?: string | null;
}

/** What the source sees of one volume that the guest's config names. */
export interface VolumeLook {
  readonly volume: string;
  /** Null: it lies on none. */
  readonly storage: string | null;
  /** Where the config names it, e.g. `scsi0`, or `before.scsi0` in a snapshot. */
  readonly keys: readonly string[];
  /** Some of `keys` are in snapshots. */
  readonly inSnapshot: boolean;
  readonly role: 'cdrom' | 'cloudinit' | 'vmstate' | 'other';
  /** `none`: a path or a drive of the node; `shared`: all nodes have the storage; `declared`: the operator says so of this volume alone. */
  readonly place: 'none' | 'local' | 'shared' | 'declared';
  /** Guest whose name the volume bears; null: no name of Kedge's grammar, such as an ISO image. */
  readonly owner: number | null;
  readonly format: 'raw' | 'qcow2' | 'subvol' | null;
  /** Path on this node; null: unknown. */
  readonly path: string | null;
  /** Type of a storage without driver. */
  readonly foreignType: string | null;
  /** Why it can't be read; null: it can. */
  readonly unreadable: string | null;
  /** Reasons why its file alone is not the disk. */
  readonly obstacles: readonly VolumeObstacle[];
  /** Guests of this node that are linked clones of it. */
  readonly clones: readonly number[];
}

/** What of its volumes keeps the guest on its source. What both nodes must say together is in `check-storages.ts` and `check-copies.ts`. */
export function checkVolumes(looks: readonly VolumeLook[], guest: { readonly vmid: Vmid; readonly movement: MigrationKind | null }): readonly Finding[] {
  const runsOn = guest.movement === null || guest.movement === 'live';
  return [...looks.flatMap((look) => checkVolume(look, { vmid: guest.vmid, runsOn })), ...checkAliases(looks)];
}

function checkVolume(look: VolumeLook, { vmid, runsOn }: { vmid: Vmid; runsOn: boolean }): readonly Finding[] {
  const { volume, keys, place, owner } = look;
  const where = keys.join(', ');
  if (place === 'declared') return [];
  if (place === 'none') {
    return [
      about(
        { keys, volume },
        finding(
          'local-device',
          `${where} is ${volume} of this node, which no other has`,
          `Remove ${where} from the guest's config, or add shared=1 if every node has it`,
        ),
      ),
    ];
  }
  if (look.foreignType !== null) {
    const text = `${volume} (${where}) is on a storage of type ${look.foreignType}, for which Kedge has no driver`;
    return [about({ keys, volume, detail: look.foreignType }, finding('storage-type', text))];
  }
  if (look.unreadable !== null) {
    const text = `Volume ${volume} (${where}) can't be read: ${look.unreadable}`;
    return [about({ keys, volume }, finding('volume-missing', text, `Bring it back, or remove ${where} from the guest's config`))];
  }
  return [
    ...(owner !== null && owner !== vmid && look.role !== 'cdrom'
      ? [about({ keys, volume, detail: String(owner) }, finding('volume-foreign', `${volume} (${where}) is a volume of guest ${owner}`))]
      : []),
    ...(place === 'local' ? checkLocal(look, { where, runsOn }) : []),
  ];
}

function checkLocal(look: VolumeLook, { where, runsOn }: { where: string; runsOn: boolean }): readonly Finding[] {
  const { volume, keys } = look;
  if (look.role === 'cdrom') {
    const text = `${where} has the medium ${volume}, which lies on a storage of this node alone`;
    return [about({ keys, volume, detail: 'cdrom' }, finding('volume-not-movable', text, `Eject it: set ${where} to none,media=cdrom`))];
  }
  if (look.owner === null) return [about({ keys, volume }, finding('volume-not-movable', `${volume} (${where}) is of a kind that Kedge can't copy`))];
  // What follows is about copies of files; a guest that runs on is refused for its local storage anyway.
  if (runsOn) return [];
  const holdsSnapshots = look.format === 'qcow2' || !look.inSnapshot || look.role === 'vmstate' || look.role === 'cloudinit';
  return [
    ...look.obstacles.map(({ text, remedy, base = null }) =>
      about({ keys, volume, ...(base === null ? {} : { detail: base }) }, finding('volume-not-movable', text, remedy)),
    ),
    ...(holdsSnapshots
      ? []
      : [about({ keys, volume }, finding('snapshot-not-movable', `Snapshots of ${volume} (${where}) can't move: it is a ${look.format ?? 'raw'} volume`))]),
    ...(look.clones.length === 0
      ? []
      : [about({ keys, volume }, finding('base-in-use', `${volume} is the base of linked clones: guest ${look.clones.join(', ')}`))]),
  ];
}

/** Two names of one file would become two files. */
function checkAliases(looks: readonly VolumeLook[]): readonly Finding[] {
  const local = looks.filter(({ place, path }) => place === 'local' && path !== null);
  return local.flatMap(({ volume, keys, path }, at) => {
    const first = local.slice(0, at).find((earlier) => earlier.path === path);
    return first === undefined
      ? []
      : [about({ keys, volume, detail: first.volume }, finding('volume-aliased', `${volume} is the same file as ${first.volume}`))];
  });
}
