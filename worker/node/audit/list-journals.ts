import { readdir } from 'node:fs/promises';
import type { NodeAudit } from '../../../activities/interface.js';
import { journalFolder, rsyncGrantFolder } from '../../../src/config/paths.js';
import { parseVmid, type Vmid } from '../../../src/domain/ids.js';
import { listGrants } from '../../../src/drivers/rsync/grant-store.js';
import type { NodeContext } from '../node-context.js';

type Entries = NodeAudit['journalOpen'];

/** What migrations have noted as open on this node: streams, copies of volumes, permissions to write to them, and claims of guests that are not here. */
export async function listJournals(node: NodeContext): Promise<Entries> {
  const names = await readdir(journalFolder(node.paths));
  const vmidsOf = (pattern: RegExp): readonly Vmid[] => [...new Set(names.flatMap((name) => pattern.exec(name)?.[1] ?? []))].map(parseVmid);
  return [
    ...vmidsOf(/^([1-9]\d{2,8})\.(?:stream|release)\.json$/).map((vmid) => ({ vmid, migrationId: '', what: 'stream', journal: 'stream' as const })),
    ...(await volumeJournals(node, vmidsOf(/^([1-9]\d{2,8})\.volumes\.json$/))),
    ...(await openGrants(node)),
    ...(await claimsOfNobody(node, vmidsOf(/^([1-9]\d{2,8})\.claim\.json$/))),
  ];
}

async function volumeJournals(node: NodeContext, vmids: readonly Vmid[]): Promise<Entries> {
  return Promise.all(
    vmids.map(async (vmid) => {
      const entry = await node.volumes.read(vmid).catch(() => null);
      return { vmid, migrationId: entry?.migrationId ?? '', what: 'copy of volumes', journal: 'volumes' as const };
    }),
  );
}

/** What a peer may write to: each belongs to a copy under way. */
async function openGrants(node: NodeContext): Promise<Entries> {
  const { grants } = await listGrants(rsyncGrantFolder(node.paths));
  return grants.map(({ path, peer }) => {
    const [, vmid = '0', migrationId = ''] = /\/(\d+)\/\.incoming-(\d+-\d+)-/.exec(path) ?? [];
    return { vmid: Number(vmid), migrationId, what: `permission of ${peer} to write to ${path}`, journal: 'grant' as const, key: path };
  });
}

/** The claim of a guest that is here stays for as long as the guest, or its tombstone: it orders the steps of later migrations. */
async function claimsOfNobody(node: NodeContext, vmids: readonly Vmid[]): Promise<Entries> {
  const known = await node.records.list();
  const left = vmids.filter((vmid) => !known.includes(vmid) && node.guestConfigs.kindOf(vmid) === null);
  return Promise.all(
    left.map(async (vmid) => {
      const order = (await node.steps.seen(vmid))?.text ?? null;
      return { vmid, migrationId: '', what: `claim ${order ?? '(unreadable)'} of a step`, journal: 'claim' as const, key: order ?? '' };
    }),
  );
}
