/** The contract of a QMP connection: what the rest of Kedge may do with one monitor socket of one QEMU. */

/** One asynchronous message of QEMU. An event is only a hint to query: events may be lost around a reconnect. */
export interface QmpEvent {
  /** Counts the events of this connection from 1, in order of arrival. */
  readonly sequence: number;
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** QEMU's own clock (the host's wall clock), milliseconds since the epoch with fractions. */
  readonly timestampMs: number;
}

export interface ExecuteOptions {
  /** Overrides the command's row in `timeouts.ts`; counted from the moment the command goes out. */
  readonly timeoutMs?: number;
  /** An abort before the command went out takes it back; afterwards it drops the connection: the command may have run. */
  readonly signal?: AbortSignal;
}

export interface WaitForEventOptions {
  /** Only events with a greater sequence number count: take `lastSequence` before the command that causes them. */
  readonly after: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Errors of both execute calls: KedgeError
 * - `qmp-error` QEMU refused; details `{ class, desc, command }`. Decide by class, never by desc.
 * - `qmp-timeout` no answer in time: the connection is dropped, the command may have run; details `{ command, sent }`
 * - `qmp-disconnected` the connection ended; details `{ command, sent }`: with `sent` false it surely did not run
 * - `cancelled` the caller's signal; details `{ command, sent }`
 */
export interface QmpConnection {
  /** Runs an in-band command: in order of the calls, one in flight. Answers what QEMU returned. */
  execute(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown>;
  /** Runs an out-of-band command (`yank`, `query-yank`, …), which overtakes one that hangs. */
  executeOutOfBand(command: string, args?: Readonly<Record<string, unknown>>, options?: ExecuteOptions): Promise<unknown>;
  /** Sequence number of the newest event, 0 before the first. */
  readonly lastSequence: number;
  /** The events after `sequence` that are still kept (the newest 1,000). */
  eventsSince(sequence: number): readonly QmpEvent[];
  /** Answers the first matching event after `after`; looks at those that came already first. @throws KedgeError `qmp-timeout`, `qmp-disconnected`, `cancelled` */
  waitForEvent(match: (event: QmpEvent) => boolean, options: WaitForEventOptions): Promise<QmpEvent>;
  /** Calls `listener` with every later event; the answer ends that. */
  onEvent(listener: (event: QmpEvent) => void): () => void;
  /** Settles once the connection has ended, for whatever reason. */
  readonly closed: Promise<void>;
  readonly isClosed: boolean;
  /** Ends the connection; QEMU runs on. */
  close(): void;
}
