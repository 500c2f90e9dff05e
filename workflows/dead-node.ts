import { ApplicationFailure } from '@temporalio/workflow';
import type { DoubtExamination, MigrationRole } from '../activities/interface.js';
import type { ErrorCode } from '../src/domain/error-codes.js';
import { laterGeneration } from '../src/domain/ids.js';
import type { DeathStatement } from '../src/domain/voided-guest.js';
import type { MigrationContext } from './migration-context.js';
import { workflowInstant } from './workflow-time.js';

/** Which of the two nodes was given up, if any. Set only after the decision is durable in that node's entity. */
export class DeadNode {
  #role: MigrationRole | null = null;

  get role(): MigrationRole | null {
    return this.#role;
  }

  is(role: MigrationRole): boolean {
    return this.#role === role;
  }

  givenUp(role: MigrationRole): void {
    this.#role = role;
  }

  withdrawn(): void {
    this.#role = null;
  }
}

/** The other one of the two. */
export function otherRole(role: MigrationRole): MigrationRole {
  return role === 'source' ? 'target' : 'source';
}

/** Asks the node of `role` what it knows and could do alone. Changes nothing. */
export function examine(context: MigrationContext, role: MigrationRole): Promise<DoubtExamination> {
  const { story, migration } = context;
  const node = role === 'source' ? context.source() : context.target();
  return node.ping.examineDoubt({ ...story.ref, source: story.source, target: migration.target });
}

export interface GiveUp extends DeathStatement {
  readonly role: MigrationRole;
  /** The boot that has ended, where that is known; null: the last one that the node registered. */
  readonly bootId: string | null;
}

/**
 * Gives a node up for dead: from here on the other one may go on alone. The order matters: (1) the other one says that it could, and does not
 * hear it either; else the guest would be given up without anybody to take it. (2) The lost node's entity makes its record void, durably, unless the
 * node is heard or has registered another boot. (3) Only then is anything told to act upon it.
 * @throws ApplicationFailure with the reason: nothing was decided then
 */
export async function giveUpNode(context: MigrationContext, { role, statedBy, basis, bootId }: GiveUp): Promise<void> {
  const { story, migration, controlInDoubt: control, dead } = context;
  const names = { source: story.source, target: migration.target };
  const node = names[role];
  const left = names[otherRole(role)];
  const { peer, alone } = await examine(context, otherRole(role));
  if (peer !== null) throw refusal('node-alive', `Cannot give ${node} up: ${left} gets an answer from it, so it is not off`);
  if (!alone.possible) throw refusal('guest-state', `Cannot go on at ${left} without ${node}: ${alone.what}`);
  const { vmid, migrationId, generation } = story.ref;
  // The source may have written g+2, the target g+1; who goes on writes one more (decision 0005).
  const below = laterGeneration(generation, role === 'source' ? 2 : 1);
  await control.voidGuest({ node, bootId, guest: { vmid, migrationId, below, takenBy: left, at: workflowInstant(), statedBy, basis } });
  dead.givenUp(role);
  story.warn(`${node} was given up: ${grounds({ statedBy, basis })}. ${alone.what}. When ${node} is back it finds its record of guest ${vmid} void`);
}

/** The guest is with the node that was given up after all: it was not off, and its record holds. */
export async function withdraw(context: MigrationContext, role: MigrationRole): Promise<void> {
  const { story, migration, controlInDoubt: control, dead } = context;
  if (!dead.is(role)) return;
  const node = role === 'source' ? story.source : migration.target;
  const { vmid, migrationId } = story.ref;
  await control.dropVoided({ node, vmid, migrationId });
  dead.withdrawn();
  story.warn(`${node} was not off: what was stated of it is withdrawn`);
}

function grounds({ statedBy, basis }: DeathStatement): string {
  return basis === 'operator' ? `${statedBy} stated that its power is off` : `its power was cut by ${statedBy}, which confirmed it`;
}

function refusal(type: ErrorCode, message: string): ApplicationFailure {
  return ApplicationFailure.create({ type, message, nonRetryable: true });
}
