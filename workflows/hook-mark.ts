import { condition } from '@temporalio/workflow';

/** Workflow type `hookMark`, id `hook-<name>`: that it began, and when, is all that it says. From then on the hook is told of events. Never ends. */
export async function hookMark(): Promise<never> {
  for (;;) await condition(() => false);
}
