import type { PeerOperation, PeerOperations } from './protocol.js';

/** How long a call may take, and who may give it up. */
export interface CallOptions {
  /** The peer learns of it and stops answering then. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/** An open way to the worker of one other node. It is not repaired when it breaks: the owner opens another. */
export interface PeerChannel {
  /**
   * Asks the peer; any number of calls may be under way at once.
   * @throws KedgeError
   * - `peer-refused`: the peer answered with an error, its code is `details.code`
   * - `peer-unreachable`: no answer; `details.mayHaveRun` says whether the request may have reached the peer
   * - `cancelled`: the signal was aborted; the request may have run all the same
   */
  call<Op extends PeerOperation>(op: Op, args: PeerOperations[Op]['args'], options: CallOptions): Promise<PeerOperations[Op]['answer']>;
  /** Ends the channel; calls under way fail as `peer-unreachable`. */
  close(): void;
  /** Resolves, never rejects, when the channel is of no more use. */
  readonly closed: Promise<void>;
  readonly isClosed: boolean;
}
