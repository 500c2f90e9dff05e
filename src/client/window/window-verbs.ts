import { ScheduleAlreadyRunning, ScheduleNotFoundError, WorkflowNotFoundError } from '@temporalio/client';
import { isRecord } from '../../domain/is-record.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { NodeName } from '../../domain/ids.js';
import type { Occurrence, ScheduledWindow, UpkeepProgress, WindowDefinition, WindowReport, WorkAnswer } from '../../domain/window/window.js';
import { maintenanceWorkflowId, UPDATES, upkeepWorkflowId, WINDOW_SCHEDULES, windowScheduleId, WORKFLOW_TYPES } from '../../domain/workflow-names.js';
import { clientError } from '../client-error.js';
import { CONTROL_START } from '../control-start.js';
import { executeUpdate } from '../execute-update.js';
import type { ClientContext } from '../kedge-client.js';
import { changeWindow, type WindowChange } from './change-window.js';
import { describeWindow, scheduledWindow, specOf, WINDOW_POLICIES } from './window-schedule.js';
import { withWindowErrors } from './window-errors.js';

export interface WindowView {
  readonly definition: WindowDefinition;
  readonly skipped: readonly string[];
  readonly paused: boolean;
  /** Of the opening that runs, or of the last one; null: it has never opened. */
  readonly report: WindowReport | null;
  /** Its workflow while it runs. */
  readonly running: { readonly workflowId: string; readonly runId: string } | null;
  /** Nodes at work, and where they are. */
  readonly upkeep: readonly UpkeepProgress[];
}

/** One whose schedule this Kedge can't read: made by another version, or by hand. */
export interface UnreadableWindow {
  readonly name: string;
  readonly problem: string;
}

/** `kedge window …`. All reject with KedgeError; `not-found` for a window that is not there. */
export interface WindowVerbs {
  /** @throws `already-exists` */
  create(window: { definition: WindowDefinition; occurrences: readonly Occurrence[] }): Promise<void>;
  list(): Promise<readonly (WindowView | UnreadableWindow)[]>;
  show(name: string): Promise<WindowView>;
  /** Answers what it has become. @throws `config-changed` when it is changed by somebody else at the same time */
  change(name: string, change: (definition: WindowDefinition, kept: ScheduledWindow) => WindowChange): Promise<WindowChange>;
  pause(name: string, paused: boolean): Promise<void>;
  /** Opens it now, for as long as it lasts. @throws `guest-state` while it runs */
  runNow(name: string): Promise<void>;
  /** Nothing more is begun; a node where work has begun is brought to its end. @throws `not-found` when it does not run */
  cancel(name: string): Promise<void>;
  /** The nodes where its work waits for an answer; also of a window that was deleted meanwhile. */
  waiting(name: string): Promise<readonly NodeName[]>;
  /** Answers for work that waits. @throws `guest-state` when nothing waits */
  answer(name: string, given: { node: NodeName; answer: WorkAnswer }): Promise<void>;
  /** What runs goes on. */
  remove(name: string): Promise<void>;
}

/** The verbs over one connected client. */
export function windowVerbs(context: ClientContext): WindowVerbs {
  const { client } = context;
  const handle = (name: string) => client.schedule.getHandle(windowScheduleId(name));
  const show = (name: string): Promise<WindowView> => withWindowErrors(`show window ${name}`, name, () => readWindow(context, name));
  return {
    show,
    create: async ({ definition, occurrences }) => {
      const { name } = definition;
      try {
        await client.schedule.create({
          scheduleId: windowScheduleId(name),
          spec: specOf(occurrences),
          policies: WINDOW_POLICIES,
          action: {
            type: 'startWorkflow',
            workflowType: WORKFLOW_TYPES.maintainNodes,
            workflowId: maintenanceWorkflowId(name),
            ...CONTROL_START,
            args: [scheduledWindow(definition, [])],
          },
        });
      } catch (error) {
        if (error instanceof ScheduleAlreadyRunning)
          throw new KedgeError('already-exists', `Cannot create window ${name}: there is one of that name; change it with "kedge window edit ${name}"`);
        throw clientError(`create window ${name}`, error);
      }
    },
    list: () =>
      withWindowErrors('list windows', '', async () => {
        const names: string[] = [];
        for await (const { scheduleId } of client.schedule.list()) {
          if (scheduleId.startsWith(WINDOW_SCHEDULES)) names.push(scheduleId.slice(WINDOW_SCHEDULES.length));
        }
        return (await Promise.all(names.sort().map((name) => listWindow(context, name)))).flat();
      }),
    change: (name, change) => changeWindow(context, name, change),
    pause: (name, paused) =>
      withWindowErrors(`${paused ? 'pause' : 'resume'} window ${name}`, name, () =>
        paused ? handle(name).pause('kedge window pause') : handle(name).unpause('kedge window resume'),
      ),
    runNow: async (name) => {
      const { running } = await show(name);
      if (running !== null) throw new KedgeError('guest-state', `Cannot run window ${name} now: it is open, as ${running.workflowId}`);
      await withWindowErrors(`run window ${name}`, name, () => handle(name).trigger('SKIP'));
    },
    cancel: async (name) => {
      const running = await withWindowErrors(`cancel window ${name}`, name, () => findOpening(context, name));
      if (running === null) throw new KedgeError('not-found', `Cannot cancel window ${name}: it is not open`);
      await withWindowErrors(`cancel window ${name}`, name, () => client.workflow.getHandle(running.workflowId, running.runId).cancel());
    },
    waiting: (name) =>
      withWindowErrors(`look what window ${name} waits for`, name, async () => {
        const all = await readUpkeep(client, context.nodes);
        return all.filter(({ window, question }) => window === name && question !== null).map(({ node }) => node);
      }),
    answer: (name, { node, answer }) =>
      withWindowErrors(`answer for node ${node} of window ${name}`, name, () =>
        executeUpdate<undefined>(client.workflow.getHandle(upkeepWorkflowId(node)), UPDATES.workAnswer, { window: name, answer }),
      ),
    remove: (name) => withWindowErrors(`delete window ${name}`, name, () => handle(name).delete()),
  };
}

async function readWindow({ client }: ClientContext, name: string): Promise<WindowView> {
  const { raw, kept, definition } = await describeWindow(client, name);
  const last = raw.info?.recentActions?.at(-1)?.startWorkflowResult;
  const description =
    last?.workflowId == null
      ? null
      : await client.workflow
          .getHandle(last.workflowId, last.runId ?? undefined)
          .describe()
          .catch(gone);
  const report: unknown = description?.memo?.['window'];
  const seen = isWindowReport(report) ? report : null;
  const isRunning = description?.status.name === 'RUNNING';
  return {
    definition,
    skipped: kept.skipped,
    paused: raw.schedule?.state?.paused ?? false,
    report: seen,
    running: isRunning ? { workflowId: description.workflowId, runId: description.runId } : null,
    upkeep: isRunning ? await readUpkeep(client, seen?.atWork ?? []) : [],
  };
}

/** One bad window hides no other; one that was deleted since it was listed is none. */
async function listWindow(context: ClientContext, name: string): Promise<readonly (WindowView | UnreadableWindow)[]> {
  try {
    return [await readWindow(context, name)];
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return [];
    if (error instanceof KedgeError) return [{ name, problem: error.message }];
    throw error;
  }
}

/** What runs of a window outlives its schedule. */
async function findOpening(context: ClientContext, name: string): Promise<WindowView['running']> {
  try {
    return (await readWindow(context, name)).running;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
  const query = `WorkflowType = '${WORKFLOW_TYPES.maintainNodes}' AND ExecutionStatus = 'Running'`;
  for await (const { workflowId, runId, memo } of context.client.workflow.list({ query })) {
    const report: unknown = memo?.['window'];
    if (isWindowReport(report) && report.window === name) return { workflowId, runId };
  }
  return null;
}

async function readUpkeep(client: ClientContext['client'], nodes: readonly NodeName[]): Promise<readonly UpkeepProgress[]> {
  const all = await Promise.all(nodes.map((node) => client.workflow.getHandle(upkeepWorkflowId(node)).describe().catch(gone)));
  return all.flatMap((one) => (one?.status.name === 'RUNNING' && isUpkeepProgress(one.memo?.['upkeep']) ? [one.memo['upkeep']] : []));
}

/** Older than the retention, or not begun yet. */
function gone(error: unknown): null {
  if (error instanceof WorkflowNotFoundError) return null;
  throw error;
}

/** Is it what an opening of a window tells of itself? */
export function isWindowReport(value: unknown): value is WindowReport {
  return isRecord(value) && typeof value['window'] === 'string' && Array.isArray(value['outcomes']);
}

/** Is it what a node in a window tells of itself? */
export function isUpkeepProgress(value: unknown): value is UpkeepProgress {
  return isRecord(value) && typeof value['window'] === 'string' && typeof value['phase'] === 'string';
}
