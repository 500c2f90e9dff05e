import { auditNodeThings } from './audit-node-things.js';
import { auditProcesses } from './audit-processes.js';
import { certainOwner, fullRecordOn, hasConfigOn } from './audit-owner.js';
import type { AuditedNode, AuditFinding, AuditInput } from './audit-types.js';
import type { GuestSummary } from './node-facts.js';
import type { Repair } from './repair.js';

/** What the node's own records, processes and things say against each other, in the light of the migrations that run. */
export function auditOneNode(node: AuditedNode, input: AuditInput): readonly AuditFinding[] {
  const migrating = new Set<number>(input.migrations.map((migration) => migration.vmid));
  return [
    ...node.guests.flatMap((guest) => auditRecord(node, guest, input)),
    ...node.guests.flatMap((guest) => auditState(node, guest, migrating.has(guest.vmid))),
    ...auditProcesses(node, input),
    ...auditNodeThings(node, input),
  ];
}

function auditRecord(node: AuditedNode, guest: GuestSummary, input: AuditInput): readonly AuditFinding[] {
  const migrating = input.migrations.some(({ vmid }) => vmid === guest.vmid);
  const base = { node: node.node, vmid: guest.vmid };
  const generation = guest.generation === null ? '' : `(${String(guest.generation)})`;
  if (guest.record === 'unreadable') {
    return [
      {
        ...base,
        kind: 'record-unreadable',
        what: 'ownership record cannot be read',
        meaning: 'It allows nothing and proves nothing: Kedge starts the guest nowhere because of it',
        remedy: 'Keep the file; compare it with the record of the peer node, then restore it by hand',
        // Nothing of the guest runs here and another node surely owns it: then this record can only have been a tombstone, or a dead attempt's.
        repair: guest.qemu === 'gone' && certainOwner(input, guest.vmid) !== null ? { do: 'replace-record' } : null,
      },
    ];
  }
  if (guest.record === 'owned' && !hasConfigOn(node, guest.vmid)) {
    return [
      {
        ...base,
        kind: 'owner-without-config',
        what: `record owned${generation}, and no config`,
        meaning: 'The node may run the guest and does not know what it is: a process that runs goes on, but could not be started again, nor moved',
        remedy: `Write its config to the config folder of ${node.node}, from a backup or from what the running process shows ("ps"); Kedge makes up none`,
      },
    ];
  }
  const inFlight = guest.record === 'incoming' || guest.record === 'armed' || guest.record === 'releasing';
  const claimed = guest.record === 'owned' && guest.migrationId !== null;
  if (migrating || !(inFlight || claimed)) return [];
  return [
    {
      ...base,
      kind: 'record-unsettled',
      what: `record ${guest.record}${generation}${guest.migrationId === null ? '' : ` of migration ${guest.migrationId}`}`,
      meaning: 'The migration that wrote it does not run any more, and nobody has settled it',
      remedy: `Restart the node worker of ${node.node}: its recovery settles what it can; else see docs/operating.md "Unsettled guests"`,
      repair: settleRepair(node, guest, input),
    },
  ];
}

/** Needs the word of the other node of that migration: nothing while it is silent. A dead migration stays dead: its id is never issued again. */
function settleRepair(node: AuditedNode, { vmid, migrationId }: GuestSummary, { unreached }: AuditInput): Repair | null {
  const peer = fullRecordOn(node, vmid)?.peer;
  if (migrationId === null || peer === undefined || unreached.some((one) => one.node === peer)) return null;
  return { do: 'settle', migrationId };
}

function auditState(node: AuditedNode, guest: GuestSummary, migrating: boolean): readonly AuditFinding[] {
  if (guest.record !== 'owned' || migrating) return [];
  const base = { node: node.node, vmid: guest.vmid };
  const vmid = String(guest.vmid);
  if (guest.wanted !== 'stopped' && guest.qemu === 'gone') {
    return [
      {
        ...base,
        kind: 'guest-down',
        what: `guest ${vmid} is wanted ${guest.wanted ?? 'running'} and has no process`,
        meaning: 'The guest crashed, or shut itself down',
        remedy: `Read its log, then "kedge guest start ${vmid}", or "kedge guest stop ${vmid}" to have it down`,
      },
    ];
  }
  if (guest.qemu === 'inmigrate' || guest.qemu === 'loaded') {
    return [
      {
        ...base,
        kind: 'incoming-process',
        what: `guest ${vmid} is owned here, yet its QEMU waits as the target of a migration (${guest.qemu})`,
        meaning: 'No migration runs that could feed or start it',
        remedy: `Restart the node worker of ${node.node}: its recovery settles it`,
      },
    ];
  }
  if (guest.qemu === 'unreachable') {
    return [
      {
        ...base,
        kind: 'monitor-silent',
        what: `QEMU of guest ${vmid} runs but its monitor gives no answer`,
        meaning: 'Kedge cannot tell what the guest does, nor move or stop it',
        remedy: `Look at the process on ${node.node}; if it hangs, end it by its pid and start the guest again`,
      },
    ];
  }
  return [];
}
