import type { NodeName } from '../ids.js';
import type { Occurrence } from './window.js';

/** A window on paper: its next occurrences and its nodes (null: all). */
export interface PlannedWindow {
  readonly name: string;
  readonly nodes: readonly NodeName[] | null;
  readonly occurrences: readonly Occurrence[];
}

/** In words, each other window that is open at the same time on one of the same nodes. A warning only: a node takes one maintenance at a time. */
export function overlapsOf(planned: PlannedWindow, others: readonly PlannedWindow[]): readonly string[] {
  return others
    .filter(({ name }) => name !== planned.name)
    .flatMap((other) => {
      if (!sharesNode(planned.nodes, other.nodes)) return [];
      const at = planned.occurrences.find((one) => other.occurrences.some((two) => one.opensAt < two.closesAt && two.opensAt < one.closesAt));
      return at === undefined
        ? []
        : [`window ${other.name} is open on some of the same nodes at ${at.opensAt}: a node that one is at work on is left out by the other`];
    });
}

function sharesNode(one: readonly NodeName[] | null, other: readonly NodeName[] | null): boolean {
  return one === null || other === null || one.some((node) => other.includes(node));
}
