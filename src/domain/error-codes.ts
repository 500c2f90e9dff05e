/**
 * The one table of errors: what may be retried, how the CLI exits, what the reader should do.
 * Exit codes: 1 failed, 2 usage, 3 refused by a precondition, 4 timeout or detached, 130 Ctrl-C.
 */
export interface ErrorRow {
  readonly retryable: boolean;
  readonly exitCode: 1 | 2 | 3 | 4;
  readonly httpStatus: number;
  readonly remedy: string;
}

const row = (retryable: boolean, exitCode: ErrorRow['exitCode'], httpStatus: number, remedy: string): ErrorRow => ({
  retryable,
  exitCode,
  httpStatus,
  remedy,
});

export const ERROR_CODES = {
  'bad-input': row(false, 2, 400, 'Correct the named value and repeat the command'),
  'bad-config': row(false, 2, 500, 'Correct the named line of the configuration file'),
  'not-found': row(false, 3, 404, 'List what exists with "kedge guest list", "kedge node list" or "kedge migration list"'),
  'already-exists': row(false, 3, 409, 'Choose another id, or remove the existing object first'),
  'already-migrating': row(false, 3, 409, 'Watch the named migration, or cancel it, before you start another'),
  'already-draining': row(false, 3, 409, 'Watch it with "kedge node status", or cancel it with "kedge node drain --cancel"'),
  'already-balancing': row(false, 3, 409, 'Watch it with "kedge balance status", or cancel it with "kedge balance cancel"'),
  'migration-refused': row(false, 3, 409, 'Remove every listed blocker, each has its own remedy'),
  'cancel-refused': row(false, 3, 409, 'Let the migration end, then migrate back'),
  'guest-locked': row(false, 3, 409, 'Wait for the operation that holds the lock'),
  'config-changed': row(false, 3, 409, 'Start the migration again: it checks the guest as it is now'),
  'guest-state': row(false, 3, 409, 'Bring the guest into the required state first'),
  'not-owner': row(false, 3, 409, 'Run the command for the node that owns the guest, see "kedge guest show"'),
  'stale-claim': row(false, 1, 409, 'Nothing to do: a newer attempt of the same step has taken over'),
  'record-unreadable': row(false, 1, 500, 'Run "kedge audit"; the record is kept as evidence, restore it from the peer node'),
  'unsupported': row(false, 3, 501, 'Use one of the supported ways that the message names'),
  'node-silent': row(true, 1, 503, 'Check that the node is up and that its node worker runs'),
  'peer-unreachable': row(true, 1, 503, 'Check the control network and sshd between the two nodes'),
  'peer-untrusted': row(false, 1, 403, 'Check the pinned host key of the node; renew it with "kedge pki" only if the node was rebuilt'),
  'protocol-mismatch': row(false, 3, 409, 'Update Kedge on the node that the message names, then start the migration again'),
  'peer-refused': row(false, 1, 409, 'Read the cause: the peer node answered with a reason'),
  'node-alive': row(false, 3, 409, 'The node answers, so it is not off: let it go on, or switch it off and make sure that it is'),
  'qmp-timeout': row(true, 1, 504, 'Read the state again: the command may have run'),
  'qmp-disconnected': row(true, 1, 502, 'Read the state again: the command may have run'),
  'qmp-error': row(false, 1, 502, 'Read the cause: QEMU answered with a reason'),
  'qmp-busy': row(true, 1, 423, 'Another client is attached to the control socket of the guest'),
  'qemu-start-failed': row(false, 1, 500, 'Read the log of QEMU that the message names'),
  'lxc-start-failed': row(false, 1, 500, 'Read the logs of LXC and of the container that the message names'),
  'stream-failed': row(true, 1, 502, 'The guest runs on at the source; check the migration network and repeat'),
  'stream-stalled': row(true, 1, 504, 'The guest runs on at the source; check the migration network and repeat'),
  'copy-failed': row(true, 1, 502, 'Check sshd and the network between the two nodes; the copy goes on from the bytes that are there'),
  'copy-stalled': row(true, 1, 504, 'Check the storages and the network of both nodes; the copy goes on from the bytes that are there'),
  'copy-refused': row(false, 1, 502, 'Read the cause, rsync says what it could not do; both nodes need rsync 3.2.4 or later'),
  'not-converging': row(false, 1, 409, 'Allow a longer pause (--max-downtime or --on-stall force) or lower the load of the guest'),
  'deadline-exceeded': row(false, 4, 504, 'Allow more time with --timeout'),
  'too-late': row(false, 4, 504, 'Nothing was touched: begin it anew, with more time or when fewer migrations wait'),
  'cancelled': row(false, 1, 499, 'Nothing: the guest is as before'),
  'rolled-back': row(false, 1, 409, 'Read the cause; the source has the guest'),
  'outcome-unknown': row(true, 1, 500, 'Kedge settles this by asking both nodes; wait or see "kedge migration show"'),
  'needs-operator': row(false, 1, 409, 'Read "kedge migration show" and decide with "kedge migration decide"'),
  'worker-stopping': row(true, 1, 503, 'Nothing: the next node worker goes on where this one stopped'),
  'storage-failed': row(true, 1, 507, 'Check the named storage: space, permissions, mount'),
  'no-space': row(false, 1, 507, 'Free space on the named storage'),
  'shutdown-timeout': row(false, 1, 504, 'Give the guest more time with --shutdown-timeout, or allow --on-shutdown-timeout stop'),
  'copy-differs': row(false, 1, 500, 'Check the disks and the memory of both nodes; the source is untouched and has the guest'),
  'server-unreachable': row(true, 1, 503, 'Check that the Temporal server runs at the configured address'),
  'hook-failed': row(true, 1, 502, 'Correct the receiver, or the hook in kedge.yaml of the control workers; then "kedge hook test"'),
  'lab-failed': row(false, 1, 500, 'Read the named log, then "kedge lab down" and "kedge lab up"'),
  'internal': row(false, 1, 500, 'This is a defect of Kedge: keep the logs and report it'),
} as const satisfies Record<string, ErrorRow>;

/** Stable name of an error, as users, programs and workflow failures (`type`) see it. */
export type ErrorCode = keyof typeof ERROR_CODES;

/** Tells whether `value` is a code of the table, for failures that come back over the wire. */
export function isErrorCode(value: unknown): value is ErrorCode {
  return typeof value === 'string' && Object.hasOwn(ERROR_CODES, value);
}
