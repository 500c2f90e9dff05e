import { finding, type Finding } from './checks.js';
import { compareVersions } from './compare-versions.js';
import type { NodeName } from './ids.js';

/** What a node says of its rsync. `unusable`: why there is none. */
export type RsyncLook = { readonly version: string } | { readonly unusable: string };

/** The first with all options of a copy: `--fsync` came last. */
const OLDEST = '3.2.4';

/** Can the node take part in a copy of disks? Nothing found where an older Kedge does not say. */
export function checkRsync(node: NodeName, rsync: RsyncLook | undefined): readonly Finding[] {
  const complaint = rsync === undefined ? null : complaintAbout(rsync);
  return complaint === null ? [] : [finding('rsync-missing', `${node} ${complaint}`, `Install rsync ${OLDEST} or later on ${node}`)];
}

function complaintAbout(rsync: RsyncLook): string | null {
  if ('unusable' in rsync) return `has no rsync to copy disks with: ${rsync.unusable}`;
  return compareVersions(rsync.version, OLDEST) < 0 ? `has rsync ${rsync.version}, which is too old to copy disks` : null;
}
