import { readFileSync } from 'node:fs';

const LOOK_EVERY_MS = 1_000;

/**
 * Watches whether an rsync moves: what it reads and writes as the kernel counts it, files and pipes alike, and what it prints.
 * Its progress alone would not do: a delta pass reads both files in full before it reports the first byte.
 * `onStall` is called once, when nothing has moved for `stallTimeoutMs`.
 */
export function watchMotion(options: {
  readonly pid: number | undefined;
  readonly bytesOfOutput: () => number;
  readonly stallTimeoutMs: number;
  readonly onStall: () => void;
}): { stop(): void } {
  const { pid, bytesOfOutput, stallTimeoutMs, onStall } = options;
  const look = (): string => `${pid === undefined ? '' : readIo(pid)} ${bytesOfOutput()}`;
  let seen = look();
  let movedAt = performance.now();
  const timer = setInterval(
    () => {
      const now = look();
      if (now !== seen) {
        seen = now;
        movedAt = performance.now();
      } else if (performance.now() - movedAt >= stallTimeoutMs) {
        clearInterval(timer);
        onStall();
      }
    },
    Math.min(LOOK_EVERY_MS, stallTimeoutMs / 4),
  );
  timer.unref();
  return { stop: () => clearInterval(timer) };
}

/** rchar and wchar of proc(5); empty when the process is gone or the kernel doesn't count. */
function readIo(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/io`, 'utf8').split('\n').slice(0, 2).join(' ');
  } catch {
    return '';
  }
}
