import type { BalanceEnd, BalanceReport } from '../src/domain/balance/balance.js';
import type { LoadMemory } from '../src/domain/balance/load-memory.js';
import type { BalanceSteps } from '../src/domain/balance/next-balance.js';
import type { ResolvedBalance } from '../src/domain/balance/resolve-balance.js';
import type { DrainState } from '../src/domain/drain/drain-state.js';
import type { StayedGuest } from '../src/domain/evacuation.js';
import { MovesDesk } from './moves-desk.js';
import { workflowInstant } from './workflow-time.js';

/** What a balance carries over from one run to the next. */
export interface CarriedBalance {
  readonly state: DrainState;
  readonly memory: LoadMemory | null;
  readonly before: BalanceSteps['nodes'];
}

/** What one balance knows, and tells. */
export class BalanceDesk extends MovesDesk<BalanceReport> {
  readonly order: ResolvedBalance;
  readonly purpose = 'to even out how full nodes are';
  #memory: LoadMemory | null;
  /** Empty until the first look. */
  #before: BalanceSteps['nodes'];
  #now: BalanceSteps['nodes'];
  #late: readonly StayedGuest[] = [];

  constructor(order: ResolvedBalance, carried: CarriedBalance | undefined) {
    super(order.timings, carried?.state);
    this.order = order;
    this.#memory = carried?.memory ?? order.memory;
    this.#before = carried?.before ?? [];
    this.#now = this.#before;
  }

  /** The loads to go by, from the first look to the end: what its own moves cost the nodes is no reason for more of them. */
  get memory(): LoadMemory | null {
    return this.#memory;
  }

  seen({ nodes, late, quiet = [], memory }: BalanceSteps): void {
    this.#memory ??= memory;
    if (this.#before.length === 0) this.#before = nodes;
    this.#now = nodes;
    this.#late = [...late, ...quiet];
  }

  carried(): CarriedBalance {
    return { state: this.state, memory: this.#memory, before: this.#before };
  }

  end(end: BalanceEnd): BalanceReport {
    return { ...this.report(), endedAt: workflowInstant(), end };
  }

  report(): BalanceReport {
    const { startedAt, moved, underWay, failed, givenUp } = this.state;
    const before = new Map(this.#before.map(({ node, now }) => [node, now]));
    return {
      requestedBy: this.order.requestedBy,
      startedAt,
      endedAt: null,
      end: null,
      nodes: this.#now.map(({ node, now }) => ({ node, before: before.get(node) ?? now, now })),
      moved,
      moving: underWay.map(({ vmid, from, to }) => ({ vmid, from, to, migration: String(vmid) })),
      failed,
      stayed: [...givenUp, ...this.#late],
    };
  }
}
