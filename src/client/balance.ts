import { WorkflowExecutionAlreadyStartedError, WorkflowNotFoundError } from '@temporalio/client';
import type { BalanceClusterInput, BalancerNote, BalanceReport, BalanceView } from '../domain/balance/balance.js';
import { resolveBalance } from '../domain/balance/resolve-balance.js';
import { isRecord } from '../domain/is-record.js';
import { KedgeError } from '../domain/kedge-error.js';
import { BALANCE_ID, BALANCER_ID, QUERIES, UPDATES, WORKFLOW_TYPES } from '../domain/workflow-names.js';
import { askWorkflow } from './ask-workflow.js';
import { clientError, isUnreachable, withClientErrors } from './client-error.js';
import { CONTROL_START } from './control-start.js';
import { executeUpdate } from './execute-update.js';
import type { ClientContext } from './kedge-client.js';
import { readEnd } from './read-end.js';

/** One balance, whatever runs it continues in. */
export interface BalanceRef {
  readonly firstRunId: string;
}

/** `kedge balance …`. All reject with KedgeError. */
export interface BalanceVerbs {
  /** @throws `bad-input`, `already-balancing` */
  start(input: BalanceClusterInput): Promise<BalanceRef>;
  /** The balance that runs, or ran last; null: none is known. With `ref` the one that was started. */
  read(ref?: BalanceRef): Promise<BalanceView | null>;
  /** No move begins any more; those under way go on to their end. @throws `not-found` when none runs */
  cancel(): Promise<void>;
  /** Starts what looks whether a balance is due, unless it runs. */
  ensureBalancer(): Promise<void>;
  /** Where that stands; null: it does not run. */
  readBalancer(): Promise<BalancerNote | null>;
}

/** The verbs of balances over one client. */
export function balanceVerbs({ client }: Pick<ClientContext, 'client'>): BalanceVerbs {
  return {
    start: (input) => start(client, input),
    read: (ref) => read(client, ref),
    cancel: async () => {
      try {
        await executeUpdate(client.workflow.getHandle(BALANCE_ID), UPDATES.cancel);
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) throw new KedgeError('not-found', 'Cannot cancel the balance: none runs', { cause: error });
        throw clientError('cancel the balance', error);
      }
    },
    ensureBalancer: () =>
      withClientErrors('start the balancer', async () => {
        await client.workflow.start(WORKFLOW_TYPES.balancer, {
          ...CONTROL_START,
          workflowId: BALANCER_ID,
          workflowIdConflictPolicy: 'USE_EXISTING',
          args: [{}],
          staticSummary: 'Looks whether guests should move',
        });
      }),
    readBalancer: async () => {
      try {
        const { memo, status } = await client.workflow.getHandle(BALANCER_ID).describe();
        const note: unknown = memo?.['balancer'];
        if (status.name !== 'RUNNING') return null;
        return isNote(note) ? note : { at: null, text: 'has not looked yet', cooling: 0 };
      } catch (error) {
        if (error instanceof WorkflowNotFoundError) return null;
        throw clientError('read the balancer', error);
      }
    },
  };
}

async function start(client: ClientContext['client'], input: BalanceClusterInput): Promise<BalanceRef> {
  const { requestedBy } = resolveBalance(input);
  try {
    const handle = await client.workflow.start(WORKFLOW_TYPES.balanceCluster, {
      ...CONTROL_START,
      workflowId: BALANCE_ID,
      workflowIdConflictPolicy: 'FAIL',
      workflowIdReusePolicy: 'ALLOW_DUPLICATE',
      args: [input],
      memo: { requestedBy },
      staticSummary: 'Even out how full nodes are',
    });
    return { firstRunId: handle.firstExecutionRunId };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) throw await alreadyRuns(client);
    throw clientError('balance the cluster', error);
  }
}

async function alreadyRuns(client: ClientContext['client']): Promise<KedgeError> {
  const { memo, startTime } = await client.workflow.getHandle(BALANCE_ID).describe();
  const by: unknown = memo?.['requestedBy'];
  const first = `one by ${typeof by === 'string' ? by : 'unknown'} runs since ${startTime.toISOString()}`;
  return new KedgeError('already-balancing', `Cannot balance the cluster: ${first}`, { details: { workflowId: BALANCE_ID } });
}

async function read(client: ClientContext['client'], ref: BalanceRef | undefined): Promise<BalanceView | null> {
  try {
    const handle = client.workflow.getHandle(BALANCE_ID, undefined, ref === undefined ? {} : { firstExecutionRunId: ref.firstRunId });
    const { status, closeTime } = await handle.describe();
    if (status.name === 'RUNNING' || status.name === 'PAUSED') {
      const said = await askWorkflow(handle, QUERIES.balance);
      return { running: true, report: isBalanceReport(said) ? said : null, endedAt: null, failure: null };
    }
    const { said, failure } = await readEnd(handle, { is: isBalanceReport, under: 'report' });
    return { running: false, report: said, endedAt: closeTime?.toISOString() ?? null, failure: failure?.message ?? null };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return null;
    if (isUnreachable(error)) return { running: true, report: null, endedAt: null, failure: null };
    throw clientError('read the balance', error);
  }
}

/** Is it what a balance answers? */
export function isBalanceReport(value: unknown): value is BalanceReport {
  return isRecord(value) && typeof value['startedAt'] === 'string' && Array.isArray(value['nodes']) && Array.isArray(value['moved']);
}

function isNote(value: unknown): value is BalancerNote {
  return isRecord(value) && typeof value['at'] === 'string' && typeof value['text'] === 'string';
}
