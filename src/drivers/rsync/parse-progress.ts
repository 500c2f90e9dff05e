/** One report of `--info=progress2`. Bytes count what is done of all files, holes and unchanged blocks included. */
export interface RsyncProgress {
  readonly bytes: number;
  readonly percent: number;
  /** Null where rsync doesn't say. */
  readonly bytesPerSecond: number | null;
  readonly remainingSeconds: number | null;
  /** Entries that were dealt with, of the whole list; null where rsync doesn't say. */
  readonly files: { readonly done: number; readonly total: number } | null;
}

/** What came out of a chunk: reports, and all other lines as they are. */
export interface ParsedOutput {
  readonly progress: readonly RsyncProgress[];
  readonly lines: readonly string[];
}

/** Longer than any line of a report or of the statistics; what is longer is dropped, so that memory stays bounded. */
const LINE_LIMIT = 8_192;
const REPORT =
  /^\s*([0-9][0-9.,']*)\s+([0-9]{1,3})%(?:\s+([0-9]+)[.,]([0-9]+)([kMGT])B\/s)?(?:\s+([0-9]+):([0-9]{2}):([0-9]{2}))?(?:\s+\(xfr#[0-9]+, to-chk=([0-9]+)\/([0-9]+)\))?(?:\s|$)/;
/** rsync divides by 1024 and writes kB, MB, GB (progress.c). */
const UNITS: Readonly<Record<string, number>> = { k: 1024, M: 1024 ** 2, G: 1024 ** 3, T: 1024 ** 4 };

/**
 * Reads rsync's standard output as it comes, in chunks of any size. Reports end with a carriage return, other lines with a
 * newline; digits may be grouped as a locale likes.
 */
export class ProgressParser {
  #pending = '';
  #dropping = false;

  push(chunk: Buffer): ParsedOutput {
    // latin1 keeps every byte a character: a file name cut inside a character can't disturb the digits after it.
    const parts = (this.#pending + chunk.toString('latin1')).split(/[\r\n]/);
    this.#pending = parts.pop() ?? '';
    const whole = this.#dropping ? parts.slice(1) : parts;
    if (parts.length > 0) this.#dropping = false;
    if (this.#pending.length > LINE_LIMIT) {
      this.#pending = '';
      this.#dropping = true;
    }
    return parseLines(whole);
  }

  /** What the output ended with, without an end of line. */
  end(): ParsedOutput {
    const rest = this.#dropping ? '' : this.#pending;
    this.#pending = '';
    return parseLines([rest]);
  }
}

function parseLines(texts: readonly string[]): ParsedOutput {
  const progress: RsyncProgress[] = [];
  const lines: string[] = [];
  for (const text of texts) {
    if (text.trim() === '') continue;
    const report = parseReport(text);
    if (report === null) lines.push(text);
    else progress.push(report);
  }
  return { progress, lines };
}

function parseReport(text: string): RsyncProgress | null {
  const match = REPORT.exec(text);
  if (match === null) return null;
  const [, bytes = '', percent = '', whole, fraction, unit, hours, minutes, seconds, left, total] = match;
  const scale = UNITS[unit ?? ''];
  return {
    bytes: Number(bytes.replace(/[.,']/g, '')),
    percent: Number(percent),
    bytesPerSecond: scale === undefined ? null : Math.round(Number(`${whole}.${fraction}`) * scale),
    remainingSeconds: hours === undefined ? null : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds),
    files: left === undefined || total === undefined ? null : { done: Number(total) - Number(left), total: Number(total) },
  };
}
