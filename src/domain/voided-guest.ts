/**
 * A node that is gone for good may hold a record that lets it run a guest. Before another node takes that guest over, the cluster decides
 * durably, in the entity of the lost node, that the record is void; the node learns of it when it registers its next boot, before it may
 * start anything. docs/protocol.md, section 7, has the argument.
 */
import type { Generation, MigrationId, NodeName, Vmid } from './ids.js';
import { whetherRan, type OwnershipRecord, type Ran } from './ownership.js';

/** How it was made sure that the node is off: a person looked, or a fencing device cut its power and said so when asked again. */
export const DEATH_BASES = ['operator', 'fenced'] as const;
export type DeathBasis = (typeof DEATH_BASES)[number];

/** Who says that a node is off, and on what grounds. */
export interface DeathStatement {
  readonly statedBy: string;
  readonly basis: DeathBasis;
}

/** On the lost node every record of the guest under a generation lower than `below` is void: it allows nothing any more. */
export interface VoidedGuest extends DeathStatement {
  readonly vmid: Vmid;
  readonly migrationId: MigrationId;
  readonly below: Generation;
  /** The node that may take the guest over. */
  readonly takenBy: NodeName;
  /** RFC 3339. */
  readonly at: string;
}

/** What a node is told when it registers a boot. `voided` is absent from the entity of an older Kedge. */
export interface BootRegistration {
  readonly confirmed: true;
  readonly voided?: readonly VoidedGuest[];
}

/** What the returning node does with its record of a voided guest. */
export type VoidedVerdict =
  /** It speaks of a later time, or allows nothing as it is. */
  | { readonly do: 'nothing' }
  /** Becomes `revoked`; `wasOwner`: its disks may hold what nobody else has, so they are not removed. */
  | { readonly do: 'revoke'; readonly ran: Ran; readonly wasOwner: boolean };

/** Judges a record of the returning node. Pure: whether a process of the guest lives is the caller's matter. */
export function judgeVoided(record: OwnershipRecord, { below }: Pick<VoidedGuest, 'below'>, bootId: string): VoidedVerdict {
  if (record.generation >= below || record.state === 'revoked') return { do: 'nothing' };
  switch (record.state) {
    case 'incoming':
    case 'armed':
      return { do: 'revoke', ran: whetherRan(record, bootId), wasOwner: false };
    case 'owned':
    case 'releasing':
    case 'released':
      return { do: 'revoke', ran: 'maybe', wasOwner: true };
  }
}
