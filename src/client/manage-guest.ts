import { randomUUID } from 'node:crypto';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import type { GuestCommand, GuestCommandResult } from '../../activities/interface.js';
import type { NodeName, Vmid } from '../domain/ids.js';
import type { GuestSummary } from '../domain/node-facts.js';
import { KedgeError } from '../domain/kedge-error.js';
import { guestCommandWorkflowId, migrationWorkflowId, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { clientError } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import { isRunning } from './is-running.js';
import type { ClientContext } from './kedge-client.js';
import { findNodeStatus } from './node-status.js';

export interface GuestRequest {
  readonly command: GuestCommand;
  /** The node that has the guest, or gets it with `create`; looked up in the inventories when absent. */
  readonly node?: NodeName;
}

/**
 * Runs one guest verb on the guest's node.
 * @throws KedgeError `already-migrating`, `guest-locked`, `not-found`, `node-silent`, `outcome-unknown`, or what the node says
 */
export async function manageGuest(context: ClientContext, request: GuestRequest): Promise<GuestCommandResult> {
  const { command } = request;
  const node = request.node ?? (await findGuest(context, command.vmid));
  const onlyReads = command.verb === 'show';
  if (!onlyReads && (await isRunning(context, migrationWorkflowId(command.vmid)))) {
    throw new KedgeError('already-migrating', `Cannot ${command.verb} guest ${command.vmid}: it is being migrated`, {
      details: { workflowId: migrationWorkflowId(command.vmid) },
    });
  }
  if (command.verb === 'create') await refuseKnown(context, command.vmid);
  try {
    const id = guestCommandWorkflowId(command.vmid, command.verb);
    return await context.client.workflow.execute<(input: { node: NodeName; command: GuestCommand }) => Promise<GuestCommandResult>>(
      WORKFLOW_TYPES.manageGuest,
      {
        ...CONTROL_START,
        // Readers don't exclude each other.
        workflowId: onlyReads ? `${id}-${randomUUID()}` : id,
        workflowIdConflictPolicy: 'FAIL',
        args: [{ node, command }],
        memo: { node },
        staticSummary: `${command.verb} guest ${command.vmid} on ${node}`,
      },
    );
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) {
      throw new KedgeError('guest-locked', `Cannot ${command.verb} guest ${command.vmid}: the same command is running`, { cause: error });
    }
    throw clientError(`${command.verb} guest ${command.vmid}`, error);
  }
}

/** The node whose inventory has the guest; the one of the newest generation when there are several. */
async function findGuest(context: ClientContext, vmid: Vmid): Promise<NodeName> {
  const statuses = await Promise.all(context.nodes.map((node) => findNodeStatus(context, node)));
  const holders = statuses
    .flatMap((status) => (status?.inventory?.guests ?? []).filter((guest) => guest.vmid === vmid).map((guest) => ({ node: status?.node, guest })))
    .filter(({ guest }) => guest.record !== 'missing' && guest.record !== 'revoked' && guest.record !== 'incoming')
    // A copy that is armed is no owner yet, unless nobody else has the guest.
    .sort((one, other) => rankOf(one.guest) - rankOf(other.guest) || (other.guest.generation ?? 0) - (one.guest.generation ?? 0));
  const found = holders[0]?.node;
  if (found === undefined) throw new KedgeError('not-found', `Cannot find guest ${vmid}: no node that answers has it`);
  return found;
}

/** A node that is silent can't be asked whether it has a guest of that number: what it said last counts. */
async function refuseKnown(context: ClientContext, vmid: Vmid): Promise<void> {
  for (const status of await Promise.all(context.nodes.map((node) => findNodeStatus(context, node)))) {
    if (status?.silentSince == null || !(status.lastGuests ?? []).some((guest) => guest.vmid === vmid)) continue;
    const { node, silentSince } = status;
    throw new KedgeError(
      'already-exists',
      `Cannot create guest ${vmid}: ${node} had it when it was heard last, and is silent since ${silentSince}. Take another number`,
    );
  }
}

const rankOf = ({ record }: GuestSummary): number => (record === 'armed' ? 1 : 0);
