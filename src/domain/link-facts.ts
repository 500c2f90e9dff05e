/** What a node has measured of its way to another one, outward. Plain JSON. */
import type { NodeName } from './ids.js';

export interface LinkFacts {
  readonly from: NodeName;
  readonly to: NodeName;
  readonly control: ControlFacts;
  /** Null: not probed, because the peer's worker could not be asked. */
  readonly migration: MigrationLinkFacts | null;
}

/** The way to the peer's worker. */
export type ControlFacts =
  | {
      readonly kind: 'answered';
      /** Versions of the peer protocol. */
      readonly ownProtocol: number;
      readonly peerProtocol: number;
      /** The oldest that each still speaks. */
      readonly ownOldest?: number | undefined;
      readonly peerOldest?: number | undefined;
      readonly roundTripMs: number;
      /** The peer's clock minus ours, by the middle of the round trip. */
      readonly clockSkewMs: number;
    }
  | { readonly kind: 'untrusted' | 'unreachable'; readonly reason: string };

/** The way over the migration network, in this direction. */
export type MigrationLinkFacts =
  | {
      readonly kind: 'probed';
      /** Can a TCP connection be opened? Its packets need both directions. */
      readonly connects: boolean;
      readonly datagrams: DatagramFacts;
      /** Bytes per second of a short stream; null: none could be measured, or nothing was sent because a migration needs the link. */
      readonly bytesPerSecond: number | null;
      /** A migration runs over one of the two ends: loss may be its doing. */
      readonly busy: boolean;
    }
  | { readonly kind: 'no-listener'; readonly reason: string }
  /** Not to the end, or not at all: an older Kedge can't be. */
  | { readonly kind: 'unprobed'; readonly reason: string; readonly connects: boolean };

/** Counts of small datagrams, and of some as large as the interface lets out. */
export interface DatagramFacts {
  readonly sent: number;
  /** As the peer has counted them. */
  readonly arrived: number;
  readonly largeSent: number;
  readonly largeArrived: number;
  /** Size of the large ones with their headers. */
  readonly mtu: number;
  /** Shortest round trip; null: no echo came back. */
  readonly roundTripMs: number | null;
}
