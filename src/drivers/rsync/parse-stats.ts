/** The statistics at the end of a pass (`--stats`). */
export interface RsyncStats {
  /** Files that were looked into; a pass over an image has one. */
  readonly filesTransferred: number;
  /** Size of all files, changed or not. */
  readonly totalFileBytes: number;
  /** Data that the target did not have, before compression: the size of the delta. */
  readonly literalBytes: number;
  /** Data that the target had already. */
  readonly matchedBytes: number;
  /** On the wire, both ways, checksums included. */
  readonly sentBytes: number;
  readonly receivedBytes: number;
}

const LABELS: Readonly<Record<keyof RsyncStats, string>> = {
  filesTransferred: 'Number of regular files transferred',
  totalFileBytes: 'Total file size',
  literalBytes: 'Literal data',
  matchedBytes: 'Matched data',
  sentBytes: 'Total bytes sent',
  receivedBytes: 'Total bytes received',
};

/** Finds the statistics among rsync's lines (`LC_ALL=C`); null when one is missing. */
export function parseStats(lines: readonly string[]): RsyncStats | null {
  const value = (name: keyof RsyncStats): number => {
    const line = lines.find((candidate) => candidate.startsWith(`${LABELS[name]}: `));
    const digits = /: ([0-9][0-9.,']*)(?: bytes)?$/.exec(line ?? '')?.[1];
    return digits === undefined ? Number.NaN : Number(digits.replace(/[.,']/g, ''));
  };
  const stats: RsyncStats = {
    filesTransferred: value('filesTransferred'),
    totalFileBytes: value('totalFileBytes'),
    literalBytes: value('literalBytes'),
    matchedBytes: value('matchedBytes'),
    sentBytes: value('sentBytes'),
    receivedBytes: value('receivedBytes'),
  };
  return Object.values(stats).some(Number.isNaN) ? null : stats;
}
