import type { LocalActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/interface-control.js';
import { newDrain, type DrainState } from '../src/domain/drain/drain-state.js';
import type { DrainVerdict } from '../src/domain/drain/judge-drain.js';
import type { NextSteps } from '../src/domain/drain/next-steps.js';
import type { ResolvedEvacuation } from '../src/domain/drain/resolve-evacuation.js';
import type { EvacuationReport, StayedGuest } from '../src/domain/evacuation.js';
import { onControl } from './on-node.js';
import { workflowInstant } from './workflow-time.js';

/** What one drain or undrain knows, and tells. */
export class DrainDesk {
  readonly plan: EvacuationReport['plan'];
  readonly order: ResolvedEvacuation;
  readonly control: LocalActivityInterfaceFor<ControlActivities>;
  #state: DrainState;
  #stayed: readonly StayedGuest[] = [];
  #news = 0;

  constructor(plan: EvacuationReport['plan'], order: ResolvedEvacuation, carried: DrainState | undefined) {
    this.plan = plan;
    this.order = order;
    this.control = onControl(order.timings);
    this.#state = carried ?? newDrain(workflowInstant());
  }

  get state(): DrainState {
    return this.#state;
  }

  /** Grows with everything that makes a new look worth while. */
  get news(): number {
    return this.#news;
  }

  change(state: DrainState): void {
    this.#state = state;
  }

  /** Something has ended. */
  hear(state: DrainState): void {
    this.#state = state;
    this.#news += 1;
  }

  cancel(): void {
    if (!this.#state.cancelled) this.hear({ ...this.#state, cancelled: true });
  }

  isBusy(): boolean {
    return this.#state.underWay.length + this.#state.shuttingDown.length > 0;
  }

  /** Has nothing come of it yet? */
  isNew(): boolean {
    const { moved, failed, shutDown } = this.#state;
    return !this.isBusy() && moved.length + failed.length + shutDown.length === 0;
  }

  seen({ later, waiting, stuck, stays, late }: NextSteps): void {
    this.#stayed = [...stays, ...stuck, ...waiting, ...late, ...later];
  }

  end({ end, stayed }: Extract<DrainVerdict, { do: 'end' }>): EvacuationReport {
    this.#stayed = stayed;
    return { ...this.report(), endedAt: workflowInstant(), end };
  }

  report(): EvacuationReport {
    const { startedAt, moved, shutDown, underWay, failed } = this.#state;
    return {
      plan: this.plan,
      node: this.order.node,
      requestedBy: this.order.requestedBy,
      startedAt,
      endedAt: null,
      end: null,
      moved,
      shutDown,
      // Which id it gets the migration itself finds out; its vmid names it until it has ended.
      moving: underWay.map(({ vmid, from, to }) => ({ vmid, from, to, migration: String(vmid) })),
      stayed: this.#stayed,
      failed,
    };
  }
}
