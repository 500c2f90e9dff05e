import type { ErrorCode } from '../../domain/error-codes.js';

/** What an exit code of rsync means to a copy. */
export interface RsyncExit {
  readonly meaning: string;
  /** `backoff`: again with the same arguments; `once`: one more try may find it gone; `never`: it comes back each time. */
  readonly retry: 'never' | 'once' | 'backoff';
  readonly code: ErrorCode;
}

/** Exit codes of our own relay on the other node; but for the last one beyond rsync's, below those of shells and ssh. */
export const RELAY_EXIT = { refused: 100, busy: 101, failed: 102, absent: 127 } as const;

const row = (meaning: string, retry: RsyncExit['retry'], code: ErrorCode): RsyncExit => ({ meaning, retry, code });

/** rsync(1), EXIT VALUES; 0 and the codes that depend on more than the number are in `rsyncFailure`. */
const EXITS: Readonly<Record<number, RsyncExit>> = {
  1: row('rsync does not accept its arguments', 'never', 'copy-refused'),
  2: row('the two rsyncs have no protocol in common', 'never', 'copy-refused'),
  3: row('a file can not be selected', 'once', 'copy-refused'),
  4: row('one rsync does not support what was asked for', 'never', 'copy-refused'),
  5: row('the protocol did not start', 'backoff', 'copy-failed'),
  6: row('rsync can not write its log', 'never', 'copy-refused'),
  10: row('a socket failed', 'backoff', 'copy-failed'),
  11: row('a file can not be read or written', 'backoff', 'storage-failed'),
  12: row('the data stream broke', 'backoff', 'copy-failed'),
  13: row('rsync failed in its own diagnostics', 'once', 'copy-refused'),
  14: row('the processes of rsync lost each other', 'once', 'copy-refused'),
  15: row('a process of rsync crashed', 'once', 'copy-refused'),
  16: row('a process of rsync was killed', 'backoff', 'copy-failed'),
  19: row('rsync was told to end', 'backoff', 'copy-failed'),
  20: row('rsync was killed', 'backoff', 'copy-failed'),
  21: row('rsync lost its child', 'once', 'copy-refused'),
  22: row('rsync got no memory', 'once', 'copy-refused'),
  23: row('not everything was copied', 'never', 'copy-refused'),
  24: row('files vanished while they were copied', 'never', 'copy-refused'),
  25: row('too many files were to be deleted', 'never', 'copy-refused'),
  30: row('nothing moved for too long', 'backoff', 'copy-stalled'),
  35: row('the other side did not answer in time', 'backoff', 'copy-stalled'),
  [RELAY_EXIT.refused]: row('the other node does not grant this copy', 'never', 'peer-refused'),
  [RELAY_EXIT.busy]: row('an earlier copy to the same place has not ended yet', 'backoff', 'copy-failed'),
  [RELAY_EXIT.failed]: row('the other node could not start rsync', 'backoff', 'copy-failed'),
  126: row('rsync can not be run', 'never', 'copy-refused'),
  [RELAY_EXIT.absent]: row('rsync is not installed', 'never', 'copy-refused'),
  255: row('ssh failed', 'backoff', 'peer-unreachable'),
};

/** The row of an exit code; one that rsync does not have is taken for a crash. */
export function rsyncExit(exitCode: number): RsyncExit {
  return EXITS[exitCode] ?? row(`rsync ended with the unknown code ${exitCode}`, 'once', 'copy-refused');
}
