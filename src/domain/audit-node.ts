import { auditNodeThings } from './audit-node-things.js';
import type { AuditedNode, Leftover, RunningMigration } from './audit-types.js';
import type { GuestSummary } from './node-facts.js';

/** What the node's own records, processes and things say against each other, in the light of the migrations that run. */
export function auditOneNode(node: AuditedNode, migrations: readonly RunningMigration[]): readonly Leftover[] {
  const migrating = new Set<number>(migrations.map((migration) => migration.vmid));
  return [
    ...node.guests.flatMap((guest) => auditRecord(node, guest, migrating.has(guest.vmid))),
    ...node.guests.flatMap((guest) => auditState(node, guest, migrating.has(guest.vmid))),
    ...strayProcesses(node, migrating),
    ...auditNodeThings(node, migrations),
  ];
}

function auditRecord(node: AuditedNode, guest: GuestSummary, migrating: boolean): readonly Leftover[] {
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
    },
  ];
}

function auditState(node: AuditedNode, guest: GuestSummary, migrating: boolean): readonly Leftover[] {
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

/** A QEMU may live under owned, incoming, armed and releasing; under any other record only while its migration runs. */
function strayProcesses(node: AuditedNode, migrating: ReadonlySet<number>): readonly Leftover[] {
  return node.processes.flatMap((process): readonly Leftover[] => {
    const record = node.guests.find((guest) => guest.vmid === process.vmid)?.record ?? 'missing';
    const justified = record === 'owned' || record === 'incoming' || record === 'armed' || record === 'releasing';
    if (justified || (process.vmid !== null && migrating.has(process.vmid))) return [];
    return [
      {
        node: node.node,
        vmid: process.vmid,
        kind: process.incoming && record !== 'unreadable' ? 'incoming-process' : 'stray-process',
        what: `pid ${String(process.pid)} (${process.command.slice(0, 80)}), record ${record}`,
        meaning: 'A QEMU that no record of this node allows',
        remedy: `Make sure with "kedge guest show" who owns the guest, then end the process on ${node.node} by its pid`,
      },
    ];
  });
}
