import type { ReportedFinding } from '../render/error-report.js';
import type { TaskNoun } from './task-lines.js';

/** What a refused migration says in PVE's words. */
export interface PveRefusal {
  /** Lines of the log, one for each volume that can't move. */
  readonly lines: readonly string[];
  /** Why the task is aborted; null: PVE does not know such a check. */
  readonly reason: string | null;
}

/** Whom the task is about, as PVE names it. */
export interface RefusedGuest {
  readonly noun: TaskNoun;
  readonly vmid: number;
}

/**
 * PVE looks in this order and ends at the first reason: the guest and its devices, its storages, the connection, and then all volumes, of which
 * it tells each. What Kedge alone checks has no words here.
 */
export function pveRefusal(findings: readonly ReportedFinding[], { noun, vmid }: RefusedGuest): PveRefusal {
  const blockers = findings.filter(({ severity }) => severity === 'blocker');
  const volumes = blockers.flatMap((found) => volumeReason(found, noun) ?? []);
  const early = [guestReason, deviceReason, storageReason, linkReason].map((look) => look(blockers, { noun, vmid })).find((reason) => reason !== null);
  const kind = noun === 'VM' ? 'disk' : 'volume';
  return {
    lines: volumes.map(({ volume, reason }) => `can't migrate local ${kind} '${volume}': ${reason}`),
    reason: early ?? scanReason(blockers, { volumes, noun }),
  };
}

function guestReason(blockers: readonly ReportedFinding[], { noun, vmid }: RefusedGuest): string | null {
  for (const { id, subject } of blockers) {
    if (id === 'guest-locked') return `${noun} is locked (${subject.detail ?? ''})`;
    if (id === 'guest-running-elsewhere') return `${noun} ${String(vmid)} already running`;
  }
  return null;
}

function deviceReason(blockers: readonly ReportedFinding[], { noun }: RefusedGuest): string | null {
  if (noun === 'CT') return mountReason(blockers);
  // Encrypted memory is one of the local resources of PVE.
  const local = blockers.filter(({ id, subject }) => (id === 'local-device' && subject.volume === undefined) || id === 'memory-encrypted');
  if (local.length > 0) return `can't migrate VM which uses local devices: ${keysOf(local).join(', ')}`;
  const mapped = blockers.filter(({ id }) => id === 'device-mapped');
  if (mapped.length > 0) {
    const names = mapped.map(({ subject }) => `${subject.keys?.join(', ') ?? ''}:${subject.detail ?? ''}`);
    return `can't live migrate running VM which uses following mapped devices: ${names.join(', ')}`;
  }
  if (blockers.some(({ id }) => id === 'clipboard-vnc'))
    return "VMs with 'clipboard' set to 'vnc' are not live migratable with QEMU/machine versions older than 10.1!";
  return null;
}

/** A container's local paths are mount points, and each ends the task by itself. */
function mountReason(blockers: readonly ReportedFinding[]): string | null {
  for (const { id, subject } of blockers) {
    if (id !== 'local-device') continue;
    const key = subject.keys?.[0] ?? '';
    const { volume = '' } = subject;
    if (volume.startsWith('/')) return `cannot migrate local ${volume.startsWith('/dev/') ? 'device' : 'bind'} mount point '${key}'`;
    if (/^(?:rootfs|mp\d+)$/.test(key)) return "can't determine assigned storage for mount point";
  }
  return null;
}

function storageReason(blockers: readonly ReportedFinding[]): string | null {
  for (const { id, subject } of blockers) {
    const { storage = '', node = '', volume, detail = '' } = subject;
    if (id === 'storage-missing') return `storage '${storage}' is not available on node '${node}'`;
    if (id === 'storage-content') return `${volume === undefined ? '' : `${volume}: `}content type '${detail}' is not available on storage '${storage}'`;
  }
  return null;
}

const UNREACHABLE: readonly string[] = ['target-silent', 'peer-unreachable', 'peer-untrusted'];

function linkReason(blockers: readonly ReportedFinding[]): string | null {
  return blockers.some(({ id }) => UNREACHABLE.includes(id)) ? "Can't connect to destination address using public key" : null;
}

interface RefusedVolume {
  readonly volume: string;
  readonly reason: string;
}

function volumeReason({ id, subject }: ReportedFinding, noun: TaskNoun): readonly RefusedVolume[] | null {
  const { volume, detail = '' } = subject;
  if (id === 'storage-not-shared') {
    const volumes = detail === '' ? [] : detail.split(', ');
    return volumes.map((one) => ({ volume: one, reason: "can't live migrate attached local disks without with-local-disks option" }));
  }
  if (volume === undefined) return null;
  const one = (reason: string): readonly RefusedVolume[] => [{ volume, reason }];
  switch (id) {
    case 'local-device':
      if (noun === 'CT') return null;
      return volume === 'cdrom' ? one(`can't migrate local cdrom drive${snapshotsOf(subject.keys ?? [])}`) : one('local file/device');
    case 'volume-not-movable':
      if (detail === 'cdrom') return one('local cdrom image');
      if (detail === '') return null;
      return one(noun === 'VM' ? `can't migrate '${volume}' as it's a clone of '${detail}'` : `clone of '${detail}'`);
    case 'volume-foreign':
      return one(noun === 'VM' ? `owned by other VM (owner = VM ${detail})` : `owned by other guest (owner = ${detail})`);
    case 'volume-missing':
      return one(`unable to determine size for volume '${volume}'`);
    case 'snapshot-not-movable':
      return one('non-migratable snapshot exists');
    case 'base-in-use':
      return one('referenced by linked clone(s)');
    case 'storage-type':
      return one(noun === 'VM' ? `can't migrate '${volume}' - storage type '${detail}' not supported` : `storage type '${detail}' not supported`);
    default:
      return null;
  }
}

/** Of a drive that only snapshots have. */
function snapshotsOf(keys: readonly string[]): string {
  const names = keys.flatMap((key) => /^(.+)\.[^.]+$/.exec(key)?.[1] ?? []);
  return names.length < keys.length || names.length === 0 ? '' : ` (referenced in snapshot - ${names.join(', ')})`;
}

function scanReason(blockers: readonly ReportedFinding[], { volumes, noun }: { volumes: readonly RefusedVolume[]; noun: TaskNoun }): string | null {
  const aliased = blockers.find(({ id }) => id === 'volume-aliased')?.subject;
  const umbrella = volumes.length > 0 ? `can't migrate ${noun} - check log` : null;
  const reason = aliased === undefined ? umbrella : `detected not supported aliased volumes: '${aliased.detail ?? ''}', '${aliased.volume ?? ''}'`;
  return reason === null || noun === 'CT' ? reason : `Problem found while scanning volumes - ${reason}`;
}

const keysOf = (findings: readonly ReportedFinding[]): readonly string[] => findings.flatMap(({ subject }) => subject.keys ?? []);
