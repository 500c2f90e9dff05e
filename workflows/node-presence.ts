/**
 * The entity of one node, `node-<name>`: knows its boot, whether it is cordoned, and since when it is silent. It runs the node's
 * never-ending activity `presence`, whose heartbeats carry the inventory; a missed heartbeat is a fact kept here.
 */
import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  sleep,
  TimeoutFailure,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import type { NodeName, Vmid } from '../src/domain/ids.js';
import { isInventory } from '../src/domain/is-inventory.js';
import type { AwayGuest, LastSeenGuest, NodeEntityStatus, NodeInventory } from '../src/domain/node-facts.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import type { VoidedGuest } from '../src/domain/voided-guest.js';
import { addAwayUpdate, cordonUpdate, dropAwayUpdate, dropVoidedUpdate, registerBootUpdate, statusQuery, voidGuestUpdate } from './messages.js';
import { onNode } from './on-node.js';
import { tellsLatestSilence } from './patches.js';
import { workflowInstant } from './workflow-time.js';

export interface NodePresenceInput {
  readonly node: NodeName;
  /** State carried over from the run before. */
  readonly status?: NodeEntityStatus;
  /** For tests only. */
  readonly timings?: Partial<WorkflowTimings>;
}

/** Workflow type `nodePresence`. Never ends. */
export async function nodePresence(input: NodePresenceInput): Promise<never> {
  const { node } = input;
  let status: NodeEntityStatus = input.status ?? { node, bootId: null, registeredAt: null, cordoned: false, silentSince: null };
  /** The memo makes the state readable by "describe" alone, while no control worker runs. */
  const keep = (changes: Partial<NodeEntityStatus>): void => {
    status = { ...status, ...changes };
    upsertMemo({ status });
  };

  const others = ({ vmid, migrationId }: Pick<VoidedGuest, 'vmid' | 'migrationId'>): readonly VoidedGuest[] =>
    (status.voided ?? []).filter((known) => known.vmid !== vmid || known.migrationId !== migrationId);

  setHandler(statusQuery, () => status);
  setHandler(
    registerBootUpdate,
    ({ bootId }) => {
      keep({ bootId, registeredAt: workflowInstant(), silentSince: null });
      return { confirmed: true as const, voided: status.voided ?? [] };
    },
    {
      validator: ({ bootId }) => {
        if (typeof bootId !== 'string' || bootId === '') throw ApplicationFailure.nonRetryable(`Cannot register ${node}: its boot id is empty`, 'bad-input');
      },
    },
  );
  // One event after the other: a node that has registered its next boot can't be given up any more, one that was given up hears of it then.
  setHandler(
    voidGuestUpdate,
    ({ guest }) => {
      keep({ voided: [...others(guest), guest] });
      return { voided: true as const };
    },
    {
      validator: ({ bootId }) => {
        if (bootId !== status.bootId) {
          const message = `Cannot give ${node} up: the boot that is said to have ended is ${bootId}, and it has registered ${status.bootId ?? 'none'} since`;
          throw ApplicationFailure.nonRetryable(message, 'node-alive');
        }
      },
    },
  );
  setHandler(dropVoidedUpdate, (guest) => {
    keep({ voided: others(guest) });
    return { dropped: true as const };
  });
  const awayWithout = (vmid: Vmid): readonly AwayGuest[] => (status.away ?? []).filter((guest) => guest.vmid !== vmid);
  setHandler(addAwayUpdate, ({ vmid, at }) => {
    if (awayWithout(vmid).length === (status.away ?? []).length) keep({ away: [...(status.away ?? []), { vmid, at }] });
    return { away: true as const };
  });
  setHandler(dropAwayUpdate, ({ vmid }) => {
    keep({ away: awayWithout(vmid) });
    return { away: false as const };
  });
  setHandler(cordonUpdate, ({ cordoned }) => {
    keep({ cordoned });
    return { cordoned };
  });

  // Nobody is there to be present before the node has registered for the first time.
  await condition(() => status.bootId !== null);
  while (!workflowInfo().continueAsNewSuggested) {
    const { since, last } = await losePresence(input, status.bootId ?? '');
    const lastGuests = last === null ? {} : { lastGuests: guestsOf(last) };
    if (status.silentSince === null || (last !== null && tellsLatestSilence())) keep({ silentSince: since, ...lastGuests });
    // A presence that fails at once must not spin.
    await sleep(withTimings(input.timings).retryFirstMs);
  }
  await condition(allHandlersFinished);
  return continueAsNew<typeof nodePresence>({ ...input, status });
}

/** Runs until the presence is lost; answers when that was noticed, and what the node said last: null if it was silent all along. */
async function losePresence({ node, timings }: NodePresenceInput, bootId: string): Promise<{ since: string; last: NodeInventory | null }> {
  try {
    return await onNode(node, withTimings(timings)).presence.presence({ node, bootId });
  } catch (error) {
    if (isCancellation(error)) throw error;
    const details: unknown = error instanceof ActivityFailure && error.cause instanceof TimeoutFailure ? error.cause.lastHeartbeatDetails : undefined;
    return { since: workflowInstant(), last: isInventory(details) ? details : null };
  }
}

function guestsOf({ guests }: NodeInventory): readonly LastSeenGuest[] {
  return guests.filter(({ record }) => record === 'owned').map(({ vmid, name }) => ({ vmid, name }));
}
