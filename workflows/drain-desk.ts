import type { DrainState } from '../src/domain/drain/drain-state.js';
import type { DrainVerdict } from '../src/domain/drain/judge-drain.js';
import type { NextSteps } from '../src/domain/drain/next-steps.js';
import type { ResolvedEvacuation } from '../src/domain/drain/resolve-evacuation.js';
import type { EvacuationReport, StayedGuest } from '../src/domain/evacuation.js';
import { MovesDesk } from './moves-desk.js';
import { workflowInstant } from './workflow-time.js';

/** Whoever waits for long should know what for. */
const CLOSED = 'its turn comes when all moves that are under way have ended: the history of the drain is long, and goes on as a new one then';

/** What one drain or undrain knows, and tells. */
export class DrainDesk extends MovesDesk<EvacuationReport> {
  readonly plan: EvacuationReport['plan'];
  readonly order: ResolvedEvacuation;
  readonly purpose: string;
  #stayed: readonly StayedGuest[] = [];
  /** Whose turn comes when others have moved. */
  #later: readonly StayedGuest[] = [];
  #sight = '';
  #sameLooks = 0;

  constructor(plan: EvacuationReport['plan'], order: ResolvedEvacuation, carried: DrainState | undefined) {
    super(order.timings, carried);
    this.plan = plan;
    this.order = order;
    this.purpose = `to ${plan === 'evacuate' ? 'empty' : 'fill'} ${order.node}`;
  }

  /** Looks in a row that showed the same as the one before. */
  get sameLooks(): number {
    return this.#sameLooks;
  }

  seen({ later, waiting, stuck, stays, late }: NextSteps): void {
    const sight = JSON.stringify([later, waiting, stuck, stays, late, this.state.underWay]);
    this.#sameLooks = sight === this.#sight ? this.#sameLooks + 1 : 0;
    this.#sight = sight;
    this.#stayed = [...stays, ...stuck, ...waiting, ...late];
    this.#later = later;
  }

  end({ end, stayed }: Extract<DrainVerdict, { do: 'end' }>): EvacuationReport {
    this.#stayed = stayed;
    this.#later = [];
    return { ...this.report(), endedAt: workflowInstant(), end };
  }

  report(): EvacuationReport {
    const { startedAt, moved, shutDown, underWay, failed } = this.state;
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
      stayed: [...this.#stayed, ...(this.isClosing ? this.#later.map(({ vmid }) => ({ vmid, reason: CLOSED })) : this.#later)],
      failed,
    };
  }
}
