import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { encodeSchedulePolicies, encodeScheduleSpec } from '@temporalio/client/lib/schedule-helpers.js';
import { defaultPayloadConverter } from '@temporalio/common';
import { KedgeError } from '../../domain/kedge-error.js';
import type { Occurrence, ScheduledWindow, WindowDefinition } from '../../domain/window/window.js';
import { windowScheduleId } from '../../domain/workflow-names.js';
import type { ClientContext } from '../kedge-client.js';
import { describeWindow, scheduledWindow, specOf, WINDOW_POLICIES } from './window-schedule.js';
import { withWindowErrors } from './window-errors.js';

const LOOKS = 50;
const LOOK_EVERY_MS = 100;

export interface WindowChange {
  readonly definition: WindowDefinition;
  readonly skipped: readonly string[];
  readonly occurrences: readonly Occurrence[];
}

/**
 * Changes a window that may be changed by others at the same time: the server takes the update only when nothing came in between, and says
 * nothing when it does not. So the revision is looked for afterwards: another one than ours means that the other was first, and nothing of ours
 * was done. Answers what it has become. @throws KedgeError `not-found`, `config-changed`
 */
export async function changeWindow(
  { client }: ClientContext,
  name: string,
  change: (definition: WindowDefinition, kept: ScheduledWindow) => WindowChange,
): Promise<WindowChange> {
  return withWindowErrors(`change window ${name}`, name, async () => {
    const { kept, definition, raw } = await describeWindow(client, name);
    const next = change(definition, kept);
    const scheduled = scheduledWindow(next.definition, next.skipped);
    await update({ client }, { name, raw, kept: scheduled, occurrences: next.occurrences });
    for (let look = 0; look < LOOKS; look += 1) {
      const { revision } = (await describeWindow(client, name)).kept;
      if (revision === scheduled.revision) return next;
      if (revision !== kept.revision) break;
      await delay(LOOK_EVERY_MS);
    }
    throw new KedgeError('config-changed', `Cannot change window ${name}: it was changed at the same time, and is as the other change left it`);
  });
}

/** Brings the calendar of a window's schedule up to date; leaves it alone when the window was changed since, for that did so too. */
export async function scheduleWindow(
  { client }: ClientContext,
  { name, revision, occurrences }: { name: string; revision: string; occurrences: readonly Occurrence[] },
): Promise<void> {
  await withWindowErrors(`schedule window ${name}`, name, async () => {
    const { kept, raw } = await describeWindow(client, name);
    if (kept.revision === revision) await update({ client }, { name, raw, kept, occurrences });
  });
}

interface Update {
  readonly name: string;
  readonly raw: Awaited<ReturnType<typeof describeWindow>>['raw'];
  readonly kept: ScheduledWindow;
  readonly occurrences: readonly Occurrence[];
}

async function update({ client }: Pick<ClientContext, 'client'>, { name, raw, kept, occurrences }: Update): Promise<void> {
  const { schedule, conflictToken } = raw;
  await client.workflowService.updateSchedule({
    namespace: client.options.namespace,
    scheduleId: windowScheduleId(name),
    requestId: randomUUID(),
    conflictToken: conflictToken ?? null,
    schedule: {
      ...schedule,
      spec: encodeScheduleSpec(specOf(occurrences)),
      policies: encodeSchedulePolicies(WINDOW_POLICIES),
      action: { startWorkflow: { ...schedule?.action?.startWorkflow, input: { payloads: [defaultPayloadConverter.toPayload(kept)] } } },
    },
  });
}
