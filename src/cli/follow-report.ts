import { setTimeout as delay } from 'node:timers/promises';
import type { CliContext } from './cli-context.js';
import { EXIT_CODES } from './exit-codes.js';
import { openLiveLine } from './render/live-line.js';

const LOOK_EVERY_MS = 500;

/** A workflow that moves many guests, as its follower sees it. */
export interface FollowedReport<Report> {
  /** Null: it is not known any more, or nobody answers. */
  readonly read: () => Promise<{ readonly running: boolean; readonly report: Report | null } | null>;
  /** Fields of each line of `--json`. */
  readonly fields: Readonly<Record<string, unknown>>;
  readonly json: boolean;
  /** What is new since the report before, a line each. */
  readonly news: (report: Report, before: Report | null) => readonly string[];
  /** The present state in one line. */
  readonly line: (report: Report) => string;
  /** The whole at its end, for people, and its exit code. */
  readonly end: (report: Report) => { readonly text: string; readonly exitCode: number };
  /** What to type after a Ctrl-C: to look at it, and to stop it. */
  readonly hints: { readonly look: string; readonly stop: string };
}

/**
 * Shows a workflow's report until it ends, and sets the exit code by its end. Ctrl-C only lets go: it runs on, the text says how to look at it and
 * how to cancel it, the exit code is 130. With `json` each line is an object, the last one has the report.
 */
export async function followReport<Report>(context: CliContext, followed: FollowedReport<Report>): Promise<void> {
  const { read, fields, json, news } = followed;
  const letGo = new AbortController();
  const stopListening = context.onInterrupt(() => letGo.abort());
  const line = openLiveLine(context);
  let before: Report | null = null;
  try {
    for (;;) {
      const view = await read();
      const report: Report | null = view?.report ?? before;
      line.end();
      if (report !== null) {
        for (const text of news(report, before)) tell(text);
        if (view?.running === false) {
          const { text, exitCode } = followed.end(report);
          context.out(json ? `${JSON.stringify({ event: 'ended', ...fields, report })}\n` : `${text}\n`);
          context.setExitCode(exitCode);
          return;
        }
        before = report;
        if (!json && context.terminal.err) line.update(followed.line(report));
      }
      if (letGo.signal.aborted) break;
      await delay(LOOK_EVERY_MS, undefined, { signal: letGo.signal }).catch(() => undefined);
    }
    line.end();
    if (json) context.out(`${JSON.stringify({ event: 'detached', ...fields })}\n`);
    context.err(`Let go; it runs on. See how it goes: ${followed.hints.look}\nTo stop it: ${followed.hints.stop}\n`);
    context.setExitCode(EXIT_CODES.interrupted);
  } finally {
    line.end();
    stopListening();
  }

  function tell(text: string): void {
    if (json) context.out(`${JSON.stringify({ event: 'progress', ...fields, at: new Date(context.now()).toISOString(), text })}\n`);
    else context.err(`${text}\n`);
  }
}
