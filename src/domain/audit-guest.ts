import type { AuditInput, AuditedNode, Leftover } from './audit-types.js';
import type { GuestSummary } from './node-facts.js';

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
export function auditGuestAcrossNodes(vmid: number, input: AuditInput): readonly Leftover[] {
  if (input.migrations.some((migration) => migration.vmid === vmid && !migration.parked)) return [];
  const placed = input.nodes.flatMap((node) => node.guests.filter((guest) => guest.vmid === vmid).map((guest): Placed => ({ node, guest })));
  return [...twoRunners(vmid, placed), ...twoOwners(vmid, placed), ...noOwner(vmid, placed, input)];
}

function twoRunners(vmid: number, placed: readonly Placed[]): readonly Leftover[] {
  const running = placed.filter(({ guest }) => guest.qemu === 'running');
  if (running.length < 2) return [];
  const owner = running.find(({ guest }) => guest.record === 'owned');
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
  }));
}

function twoOwners(vmid: number, placed: readonly Placed[]): readonly Leftover[] {
  const owners = placed.filter(({ guest }) => guest.record === 'owned');
  if (owners.length < 2) return [];
  return owners.map(({ node, guest }) => ({
    node: node.node,
    vmid,
    kind: 'two-owners',
    what: `record owned(${String(guest.generation)}) here, and owned on ${others(owners, node)}`,
    meaning: 'Two nodes believe that they may run the guest',
    remedy: 'Start the guest nowhere; keep both records as evidence; the greater generation is the newer one',
  }));
}

function noOwner(vmid: number, placed: readonly Placed[], input: AuditInput): readonly Leftover[] {
  // The owner may be on a node that nobody could look at, or the migration that parked will say who owns the guest.
  if (input.unreached.length > 0 || input.migrations.some((migration) => migration.vmid === vmid)) return [];
  if (placed.some(({ guest }) => guest.record === 'owned' || guest.record === 'unreadable')) return [];
  const configs = placed.filter(({ node }) => node.files.some((file) => file.endsWith(`/${String(vmid)}.conf`)));
  return configs.map(({ node, guest }) => ({
    node: node.node,
    vmid,
    kind: 'no-owner',
    what: `guest ${String(vmid)} has a config here, its record is ${guest.record}, and no node owns it`,
    meaning: 'No node may run the guest',
    remedy: `Read "kedge guest show ${String(vmid)}" and settle it with "kedge migration list --all"`,
  }));
}

function others(all: readonly Placed[], here: AuditedNode): string {
  return all
    .filter(({ node }) => node !== here)
    .map(({ node }) => node.node)
    .join(', ');
}
