import { setTimeout as delay } from 'node:timers/promises';
import type { EvacuationRef } from '../client/evacuation.js';
import { ERROR_CODES } from '../domain/error-codes.js';
import type { EvacuationReport } from '../domain/evacuation.js';
import type { NodeName } from '../domain/ids.js';
import type { CliContext } from './cli-context.js';
import type { Cluster } from './cluster.js';
import { EXIT_CODES } from './exit-codes.js';
import { evacuationEnd, evacuationLine, evacuationNews } from './render/evacuation-text.js';
import { openLiveLine } from './render/live-line.js';

const LOOK_EVERY_MS = 500;

export interface FollowEvacuation {
  readonly node: NodeName;
  readonly ref: EvacuationRef;
  readonly json: boolean;
}

/**
 * Shows a drain or an undrain until it ends, and sets the exit code by its end. Ctrl-C only lets go: it runs on, the text says how to look at it and
 * how to cancel it, the exit code is 130. With `json` each line is an object, the last one has the report.
 */
export async function followEvacuation(context: CliContext, cluster: Pick<Cluster, 'readEvacuation'>, { node, ref, json }: FollowEvacuation): Promise<void> {
  const letGo = new AbortController();
  const stopListening = context.onInterrupt(() => letGo.abort());
  const line = openLiveLine(context);
  let before: EvacuationReport | null = null;
  try {
    for (;;) {
      const view = await cluster.readEvacuation(node, ref);
      const report: EvacuationReport | null = view?.report ?? before;
      line.end();
      if (report !== null) {
        for (const text of evacuationNews(report, before)) tell(text);
        if (view?.running === false) {
          tellEnd(context, report, { json });
          return;
        }
        before = report;
        if (!json && context.terminal.err) line.update(evacuationLine(report));
      }
      if (letGo.signal.aborted) break;
      await delay(LOOK_EVERY_MS, undefined, { signal: letGo.signal }).catch(() => undefined);
    }
    line.end();
    tellDetached(context, { node, json });
  } finally {
    line.end();
    stopListening();
  }

  function tell(text: string): void {
    if (json) context.out(`${JSON.stringify({ event: 'progress', node, at: new Date(context.now()).toISOString(), text })}\n`);
    else context.err(`${text}\n`);
  }
}

function tellEnd(context: CliContext, report: EvacuationReport, { json }: { json: boolean }): void {
  if (json) context.out(`${JSON.stringify({ event: 'ended', node: report.node, report })}\n`);
  else context.out(`${evacuationEnd(report)}\n`);
  context.setExitCode(report.end === 'done' ? EXIT_CODES.ok : ERROR_CODES['migration-refused'].exitCode);
}

function tellDetached(context: CliContext, { node, json }: { node: NodeName; json: boolean }): void {
  if (json) context.out(`${JSON.stringify({ event: 'detached', node })}\n`);
  context.err(`Let go; it runs on. See how it goes: kedge node status ${node}\nTo stop it: kedge node drain --cancel ${node}\n`);
  context.setExitCode(EXIT_CODES.interrupted);
}
