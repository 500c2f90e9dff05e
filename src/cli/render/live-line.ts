import type { CliContext } from '../cli-context.js';

/** Pause between two lines when stderr is no terminal, so that logs stay readable; milliseconds. */
const LINE_EVERY_MS = 5_000;

export interface LiveLine {
  /** Shows `text` as the present state. A `milestone` is printed at once even where lines are rationed. */
  update(text: string, options?: { milestone?: boolean }): void;
  /** Leaves the terminal clean for what follows. */
  end(): void;
}

/** Progress on stderr: one line that is rewritten on a terminal, else a line every few seconds. */
export function openLiveLine(context: CliContext): LiveLine {
  return context.terminal.err ? rewrittenLine(context) : rationedLines(context);
}

function rewrittenLine(context: CliContext): LiveLine {
  let shown = false;
  return {
    update(text) {
      shown = true;
      // One column stays free: a full line would wrap and could not be rewritten.
      context.err(`\r\u001b[2K${text.slice(0, Math.max(20, context.terminal.columns - 1))}`);
    },
    end() {
      if (shown) context.err('\r\u001b[2K');
      shown = false;
    },
  };
}

function rationedLines(context: CliContext): LiveLine {
  let lastText = '';
  let lastAtMs = Number.NEGATIVE_INFINITY;
  return {
    update(text, options = {}) {
      const nowMs = context.now();
      if (text === lastText || (options.milestone !== true && nowMs - lastAtMs < LINE_EVERY_MS)) return;
      lastText = text;
      lastAtMs = nowMs;
      context.err(`${text}\n`);
    },
    end() {
      lastText = '';
    },
  };
}
