/**
 * The entity of one node, `node-<name>`: knows its boot, whether it is cordoned, and since when it is silent. It runs the node's
 * never-ending activity `presence`, whose heartbeats carry the inventory; a missed heartbeat is a fact kept here.
 */
import {
  allHandlersFinished,
  ApplicationFailure,
  condition,
  continueAsNew,
  isCancellation,
  setHandler,
  sleep,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import type { NodeName } from '../src/domain/ids.js';
import type { NodeEntityStatus } from '../src/domain/node-facts.js';
import { withTimings, type WorkflowTimings } from '../src/domain/workflow-timings.js';
import { cordonUpdate, registerBootUpdate, statusQuery } from './messages.js';
import { onNode } from './on-node.js';
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

  setHandler(statusQuery, () => status);
  setHandler(
    registerBootUpdate,
    ({ bootId }) => {
      keep({ bootId, registeredAt: workflowInstant(), silentSince: null });
      return { confirmed: true as const };
    },
    {
      validator: ({ bootId }) => {
        if (typeof bootId !== 'string' || bootId === '') throw ApplicationFailure.nonRetryable(`Cannot register ${node}: its boot id is empty`, 'bad-input');
      },
    },
  );
  setHandler(cordonUpdate, ({ cordoned }) => {
    keep({ cordoned });
    return { cordoned };
  });

  // Nobody is there to be present before the node has registered for the first time.
  await condition(() => status.bootId !== null);
  while (!workflowInfo().continueAsNewSuggested) {
    const since = await losePresence(input, status.bootId ?? '');
    if (status.silentSince === null) keep({ silentSince: since });
    // A presence that fails at once must not spin.
    await sleep(withTimings(input.timings).retryFirstMs);
  }
  await condition(allHandlersFinished);
  return continueAsNew<typeof nodePresence>({ ...input, status });
}

/** Runs until the presence is lost; answers when that was noticed. */
async function losePresence({ node, timings }: NodePresenceInput, bootId: string): Promise<string> {
  try {
    return await onNode(node, withTimings(timings)).presence.presence({ node, bootId });
  } catch (error) {
    if (isCancellation(error)) throw error;
    return workflowInstant();
  }
}
