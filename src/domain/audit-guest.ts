import { certainOwner, hasConfigOn } from './audit-owner.js';
import type { AuditedNode, AuditFinding, AuditInput } from './audit-types.js';
import type { GuestSummary } from './node-facts.js';
import type { Repair } from './repair.js';

interface Placed {
  readonly node: AuditedNode;
  readonly guest: GuestSummary;
}

/**
 * What only a comparison of all nodes shows of one guest: two runners, two owners, none.
 *
 * While a migration of the guest is on its way these are not judged: the nodes are read one after the other, and a hand-over
 * between two reads would look like two owners. A parked migration does not move, so it is judged.
 */
export function auditGuestAcrossNodes(vmid: number, input: AuditInput): readonly AuditFinding[] {
  if (input.migrations.some((migration) => migration.vmid === vmid && !migration.parked)) return [];
  const placed = input.nodes.flatMap((node) => node.guests.filter((guest) => guest.vmid === vmid).map((guest): Placed => ({ node, guest })));
  return [...twoRunners(vmid, placed, input), ...twoOwners(vmid, placed, input), ...noOwner(vmid, placed, input)];
}

function twoRunners(vmid: number, placed: readonly Placed[], input: AuditInput): readonly AuditFinding[] {
  const running = placed.filter(({ guest }) => guest.qemu === 'running');
  if (running.length < 2) return [];
  const owner = running.find(({ guest }) => guest.record === 'owned');
  const certain = certainOwner(input, vmid);
  return running.map(({ node, guest }) => ({
    node: node.node,
    vmid,
    kind: 'two-runners',
    what: `guest ${String(vmid)} runs here (record ${guest.record}) and on ${others(running, node)}`,
    meaning: 'ALARM: the same guest runs twice; both write to its disks',
    remedy:
      owner === undefined || running.every((one) => one.guest.record === 'owned')
        ? 'Stop one of them at once by hand, keep records and logs of both nodes, check the disks'
        : `Stop the process that is not on ${owner.node.node}, keep records and logs of both nodes, check the disks`,
    repair: certain?.guest.qemu === 'running' && certain.node !== node ? stopCopy(node, vmid) : null,
  }));
}

/** Of the copy that the node's worker takes for the guest; a revoked one is removed with all that came with it. */
function stopCopy({ guests, processes }: AuditedNode, vmid: number): Repair | null {
  if (guests.some((guest) => guest.vmid === vmid && guest.record === 'revoked')) return { do: 'end-revoked' };
  const process = processes.find((one) => one.vmid === vmid && one.own !== false);
  return process?.startTime === undefined ? null : { do: 'end-process', pid: process.pid, startTime: process.startTime };
}

function twoOwners(vmid: number, placed: readonly Placed[], input: AuditInput): readonly AuditFinding[] {
  const owners = placed.filter(({ guest }) => guest.record === 'owned');
  if (owners.length < 2) return [];
  return owners.map(({ node, guest }) => ({
    node: node.node,
    vmid,
    kind: 'two-owners',
    what: `record owned(${String(guest.generation)}) here, and owned on ${others(owners, node)}`,
    meaning: 'Two nodes believe that they may run the guest',
    remedy: 'Start the guest nowhere; keep both records as evidence; the greater generation is the newer one',
    repair: isEmptyClaim({ node, guest }, owners, input) ? { do: 'replace-record' } : null,
  }));
}

/**
 * An older record of an owner that has nothing of the guest: no process, no config, while the newest owner runs it. Such a node could not even
 * start it, so that the record is all there is to it. With a process or a config on both sides nobody can tell which one was altered.
 */
function isEmptyClaim({ node, guest }: Placed, owners: readonly Placed[], { unreached, migrations }: AuditInput): boolean {
  if (unreached.length > 0 || migrations.some(({ vmid }) => vmid === guest.vmid) || guest.migrationId !== null) return false;
  const [newest, next] = [...owners].sort((one, other) => (other.guest.generation ?? 0) - (one.guest.generation ?? 0));
  const isNewestCertain = newest?.guest.qemu === 'running' && newest.guest.migrationId === null && newest.guest.generation !== next?.guest.generation;
  if (!isNewestCertain || newest.node === node) return false;
  return guest.qemu === 'gone' && !hasConfigOn(node, guest.vmid) && !node.processes.some(({ vmid }) => vmid === guest.vmid);
}

function noOwner(vmid: number, placed: readonly Placed[], input: AuditInput): readonly AuditFinding[] {
  // The owner may be on a node that nobody could look at, or the migration that parked will say who owns the guest.
  if (input.unreached.length > 0 || input.migrations.some((migration) => migration.vmid === vmid)) return [];
  if (placed.some(({ guest }) => guest.record === 'owned' || guest.record === 'unreadable')) return [];
  const configs = placed.filter(({ node }) => hasConfigOn(node, vmid));
  return configs.map(({ node, guest }) => ({
    node: node.node,
    vmid,
    kind: 'no-owner',
    what: `guest ${String(vmid)} has a config here, its record is ${guest.record}, and no node owns it`,
    meaning: 'No node may run the guest',
    remedy: `Read "kedge reconcile ${String(vmid)}", which tells what each node knows, and "kedge migration list --all"`,
  }));
}

function others(all: readonly Placed[], here: AuditedNode): string {
  return all
    .filter(({ node }) => node !== here)
    .map(({ node }) => node.node)
    .join(', ');
}
