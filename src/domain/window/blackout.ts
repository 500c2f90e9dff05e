/** Times in which no guest is moved. When they are is computed outside of workflows (src/schema/blackout-times.ts); here is what follows from that. */
import { finding, softened, type Finding } from '../checks.js';
import type { NodeName, Vmid } from '../ids.js';
import type { Occurrence } from './window.js';

/** A blackout as kedge.yaml has it; the first four fields as those of a window. */
export interface Blackout {
  readonly name: string;
  readonly zone: string;
  readonly start: string;
  readonly rule: string | null;
  readonly durationMs: number;
  /** Moves from and to these; null: all. */
  readonly nodes: readonly NodeName[] | null;
  /** Null: all. */
  readonly guests: readonly Vmid[] | null;
}

/** One that is on now. */
export interface OpenBlackout extends Pick<Blackout, 'name' | 'nodes' | 'guests'> {
  /** RFC 3339, in UTC. */
  readonly endsAt: string;
}

/** A guest that would move. */
interface Moving {
  readonly vmid: Vmid;
  readonly nodes: readonly NodeName[];
}

/** The one of those that are on that keeps this guest longest where it is; null: it may move. */
export function blackoutOf(open: readonly OpenBlackout[], { vmid, nodes }: Moving): OpenBlackout | null {
  const concerned = open.filter((each) => (each.guests?.includes(vmid) ?? true) && (each.nodes === null || nodes.some((node) => each.nodes?.includes(node))));
  return concerned.reduce<OpenBlackout | null>((longest, each) => (longest === null || each.endsAt > longest.endsAt ? each : longest), null);
}

/** Refuses a move in a blackout; one that must not wait only tells of it. */
export function checkBlackouts(open: readonly OpenBlackout[], moving: Moving & { readonly pressing: boolean }): readonly Finding[] {
  const { vmid, pressing } = moving;
  const blackout = blackoutOf(open, moving);
  if (blackout === null) return [];
  const { name, endsAt } = blackout;
  const found = finding(
    'blackout',
    `Blackout ${name} is on until ${endsAt}: guest ${vmid} is not to be moved`,
    `Wait until ${endsAt}, or move it all the same with --ignore-blackout`,
  );
  const named: Finding = { ...found, subject: { detail: name } };
  return [pressing ? { ...softened(named), remedy: 'Nothing: it moves all the same, as was asked for' } : named];
}

/** In words, each blackout that is on during an occurrence of a window; `during`: the first such time of a blackout, if there is one. */
export function blackoutWarnings(
  window: { readonly nodes: readonly NodeName[] | null },
  blackouts: readonly Blackout[],
  during: (blackout: Blackout) => Occurrence | null,
): readonly string[] {
  return blackouts.flatMap((blackout) => {
    const { name, nodes } = blackout;
    if (window.nodes !== null && nodes !== null && !window.nodes.some((node) => nodes.includes(node))) return [];
    const at = during(blackout);
    if (at === null) return [];
    const whom = blackout.guests === null ? 'guests' : `guests ${blackout.guests.join(', ')}`;
    return [
      `blackout ${name} is on from ${at.opensAt} to ${at.closesAt}, while the window is open: ${whom} are not moved then, so that nodes may not get empty`,
    ];
  });
}
