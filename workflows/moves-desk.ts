import { CancellationScope } from '@temporalio/workflow';
import type { SlotPriority } from '../src/domain/admission.js';
import { newDrain, type DrainState } from '../src/domain/drain/drain-state.js';
import type { MigrationOptions } from '../src/domain/migration.js';
import type { Vmid } from '../src/domain/ids.js';
import type { WorkflowTimings } from '../src/domain/workflow-timings.js';
import { onControlQueue, type ControlCalls } from './on-node.js';
import { cancelsWaitingMoves } from './patches.js';
import { workflowInstant } from './workflow-time.js';

/** What the moves of one workflow have in common. */
export interface MoveOrder {
  readonly requestedBy: string;
  readonly priority: SlotPriority;
  readonly options: Partial<MigrationOptions>;
  readonly timings: WorkflowTimings;
}

/** What a workflow that moves many guests knows, and tells. */
export abstract class MovesDesk<Report> {
  readonly control: ControlCalls;
  #state: DrainState;
  #news = 0;
  #isClosing = false;
  /** How to tell the moves of this run that nobody wants them to wait for a slot. */
  readonly #moves = new Map<Vmid, () => Promise<void>>();

  protected constructor(timings: WorkflowTimings, carried: DrainState | undefined) {
    this.control = onControlQueue(timings);
    this.#state = carried ?? newDrain(workflowInstant());
  }

  abstract readonly order: MoveOrder;
  /** What guests move for, for the summaries of their migrations. */
  abstract readonly purpose: string;
  /** How far it is. */
  abstract report(): Report;

  get state(): DrainState {
    return this.#state;
  }

  /** Grows with everything that makes a new look worth while. */
  get news(): number {
    return this.#news;
  }

  /** Does no move begin any more in this run? The next run goes on when those under way have ended. */
  get isClosing(): boolean {
    return this.#isClosing;
  }

  close(): void {
    this.#isClosing = true;
  }

  change(state: DrainState): void {
    this.#state = state;
  }

  /** Something has ended. */
  hear(state: DrainState): void {
    this.#state = state;
    this.#news += 1;
  }

  /** Moves that have a slot go on to their end, the others never begin. */
  cancel(): void {
    if (this.#state.cancelled) return;
    this.hear({ ...this.#state, cancelled: true });
    for (const { vmid } of this.#state.underWay) this.#stopWaiting(vmid);
  }

  /** A move was begun. */
  follow(vmid: Vmid, stopWaiting: () => Promise<void>): void {
    this.#moves.set(vmid, stopWaiting);
    if (this.#state.cancelled) this.#stopWaiting(vmid);
  }

  #stopWaiting(vmid: Vmid): void {
    const stopWaiting = this.#moves.get(vmid);
    if (stopWaiting === undefined || !cancelsWaitingMoves()) return;
    // One that has just ended waits for nothing.
    CancellationScope.nonCancellable(stopWaiting).catch(() => undefined);
  }

  isBusy(): boolean {
    return this.#state.underWay.length + this.#state.shuttingDown.length > 0;
  }

  /** Has nothing come of it yet? */
  isNew(): boolean {
    const { moved, failed, shutDown } = this.#state;
    return !this.isBusy() && moved.length + failed.length + shutDown.length === 0;
  }
}
