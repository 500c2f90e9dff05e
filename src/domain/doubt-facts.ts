/** What an operator is told of a migration in doubt: what is known, what isn't, and what could be running where. Pure words. */
import type { MigrationId, NodeName, Vmid } from './ids.js';
import type { GuestView, RecordView } from './ownership.js';

/** One end of the migration, as far as it could be asked. */
export interface DoubtSide {
  readonly role: 'source' | 'target';
  readonly node: NodeName;
  /** RFC 3339; null: its heartbeats are heard. */
  readonly silentSince: string | null;
  /** Its own answer; null: it gave none. */
  readonly view: GuestView | null;
  /** What it hears of the other one over the peer channel; undefined: it could not be asked. */
  readonly peer?: GuestView | null;
}

export interface DoubtCase {
  readonly vmid: Vmid;
  readonly migrationId: MigrationId;
  readonly sides: readonly [DoubtSide, DoubtSide];
  /** RFC 3339, when it was looked. */
  readonly at: string;
}

/** Sentences in the order: heard and known, silent and unknown, what could be running. */
export function doubtFacts({ vmid, migrationId, sides, at }: DoubtCase): readonly string[] {
  const [one, other] = sides;
  const known = sides.flatMap((side) => (side.view === null ? [] : [knownOf(vmid, side, side.view)]));
  const unknown = [unknownOf(one, other, { vmid, migrationId }), unknownOf(other, one, { vmid, migrationId })].flatMap((text) => text ?? []);
  return [...known.map((text) => `Known at ${at}: ${text}`), ...unknown.map((text) => `Not known: ${text}`), ...sides.map((side) => runningOf(vmid, side))];
}

function knownOf(vmid: Vmid, { role, node }: DoubtSide, view: GuestView): string {
  return `${node} (the ${role}) answers; its record of guest ${vmid} is ${recordText(view.record)}, the guest's process there is ${processText(view)}`;
}

function unknownOf(silent: DoubtSide, asker: DoubtSide, { vmid, migrationId }: Pick<DoubtCase, 'vmid' | 'migrationId'>): string | null {
  const { role, node, silentSince, view } = silent;
  if (view !== null) return null;
  const heard = silentSince === null ? 'its heartbeats are heard, but it gives no answer' : `its heartbeats have been missing since ${silentSince}`;
  return `${node} (the ${role}): ${heard}${peerText(silent, asker)}. Its record of guest ${vmid} may be ${POSSIBLE[role]} of ${migrationId}, and whether a process of the guest lives there is not known`;
}

/** What a silent node may hold: the last step before its silence may not have been answered. */
const POSSIBLE = {
  source: 'owned, releasing, released or taken back',
  target: 'incoming, armed, owned or revoked',
} as const;

function peerText({ node }: DoubtSide, asker: DoubtSide): string {
  if (asker.peer === undefined) return '';
  if (asker.peer === null) return `, and ${asker.node} gets no answer from it over the peer channel either`;
  return `, but ${asker.node} reaches it over the peer channel: there its record is ${recordText(asker.peer.record)}, its process ${processText(asker.peer)} (${node} is not off)`;
}

function runningOf(vmid: Vmid, { node, view }: DoubtSide): string {
  if (view === null) return `Guest ${vmid} could be running on ${node}, as long as that node has power`;
  if (view.qemu === 'gone') return `Guest ${vmid} does not run on ${node}`;
  if (view.qemu === 'running') return `Guest ${vmid} runs on ${node}`;
  if (view.qemu === 'unreachable') return `Guest ${vmid} could be running on ${node}: its process is there and its monitor gives no answer`;
  return `Guest ${vmid} does not run on ${node}: it stands still there`;
}

function processText({ qemu }: GuestView): string {
  if (qemu === 'gone') return 'gone';
  return qemu === 'unreachable' ? 'there, but gives no answer' : `there and "${qemu}"`;
}

function recordText(view: RecordView): string {
  if (view.kind !== 'record') return view.kind;
  const { state, generation, migrationId } = view.record;
  return `${state}(${generation})${migrationId === undefined ? '' : ` of ${migrationId}`}`;
}
