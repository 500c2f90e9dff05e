import type { LabWorld } from './lab-world.js';

/** What may die while a guest moves; each has a supervisor that starts it anew. */
export const COMPONENTS = ['control worker', 'source worker', 'target worker', 'Temporal server'] as const;
export type Component = (typeof COMPONENTS)[number];

/** Two at a time: so each step needs only two runs to meet every component. */
export const COMPONENT_PAIRS = [
  ['control worker', 'source worker'],
  ['Temporal server', 'target worker'],
] as const satisfies readonly (readonly Component[])[];

/** From where a guest moves, and where to. */
export interface Route {
  readonly source: string;
  readonly target: string;
}

/** kill -9 of one component of the lab. */
export function killComponent(world: LabWorld, component: Component, { source, target }: Route): Promise<void> {
  switch (component) {
    case 'control worker':
      return world.break('control', { kind: 'kill', target: 'control' });
    case 'source worker':
      return world.break(source, { kind: 'kill', target: 'worker' });
    case 'target worker':
      return world.break(target, { kind: 'kill', target: 'worker' });
    case 'Temporal server':
      return world.break('control', { kind: 'kill', target: 'temporal' });
  }
}
