/**
 * Which versions of the words between two node workers (src/drivers/peer/protocol.ts) go together.
 *
 * Nodes are updated one by one, also while guests move: two workers work together when the older one's version is among those that the
 * newer one still speaks. Otherwise a migration is refused before it changes anything, or, when a worker was replaced in the middle of
 * one, rolled back before it is handed over. What ends a hand-over that has begun (`observe`, `arm`, `go`, `revoke`, `settle`) keeps its
 * meaning in every version, and recovery asks it of any.
 */
export interface PeerProtocol {
  readonly version: number;
  /** The oldest version that this worker still speaks; absent from a worker that speaks one alone. */
  readonly oldest?: number | undefined;
}

/** What this build speaks. `version` is raised whenever an old worker could misunderstand a new one, `oldest` when the new one stops to speak to it. */
export const PEER_PROTOCOL = { version: 1, oldest: 1 } as const satisfies PeerProtocol;

/** A node and what its worker speaks. */
export interface SpeakingNode {
  readonly node: string;
  readonly protocol: PeerProtocol;
}

/** Why two workers can't work together, the same from both sides; null: they can. */
export function protocolMismatch(here: SpeakingNode, there: SpeakingNode): { readonly text: string; readonly remedy: string } | null {
  const [older, newer] = there.protocol.version < here.protocol.version ? [there, here] : [here, there];
  const oldest = newer.protocol.oldest ?? newer.protocol.version;
  if (older.protocol.version >= oldest) return null;
  const downTo = oldest === newer.protocol.version ? '' : ` down to ${oldest}`;
  return {
    text: `Kedge on ${older.node} speaks version ${older.protocol.version} of the protocol between nodes, ${newer.node} speaks ${newer.protocol.version}${downTo}`,
    remedy: `Update Kedge on ${older.node}`,
  };
}
