/**
 * A node that is not heard is suspect, no more. What is decided here is whether that is enough to cut its power, or to believe an operator who says
 * that it is off. Pure: the workflow `recoverNode` asks, and acts.
 */
import type { NodeName } from './ids.js';

/** What one node gets from the suspect at its addresses; null: nothing. */
export interface NodeProbe {
  readonly from: NodeName;
  readonly answers: readonly { readonly address: string; readonly answer: 'open' | 'refused' | null }[];
  /** Absent: none is configured, or the node can't see it. */
  readonly heartbeat?: SeenHeartbeat;
}

/** The suspect's heartbeat on a shared storage. */
export interface SeenHeartbeat {
  readonly storage: string;
  /** It changed while it was watched: something on the node runs, and writes. */
  readonly moves: boolean;
}

/** All that is known of a suspect at one moment. */
export interface SuspectEvidence {
  readonly node: NodeName;
  /** Null: its heartbeats are heard. */
  readonly silentSince: string | null;
  /** All nodes of the cluster, the suspect too. */
  readonly configured: readonly NodeName[];
  /** Those whose heartbeats the control plane hears now. */
  readonly heard: readonly NodeName[];
  /** Answers of the nodes that were asked to look. */
  readonly probes: readonly NodeProbe[];
}

export type SuspectVerdict =
  /** It is heard again. */
  | { readonly is: 'back' }
  /** It has power, or may have: not to be touched. */
  | { readonly is: 'answering'; readonly facts: readonly string[] }
  /** Too little is heard to tell a dead node from a dead network. */
  | { readonly is: 'uncertain'; readonly facts: readonly string[] }
  /** Silent on every path, for a majority. */
  | { readonly is: 'silent'; readonly facts: readonly string[] };

/** So many nodes must have looked by themselves, where there are as many besides the suspect. */
const OBSERVERS = 2;

/**
 * Judges a suspect. A majority of all configured nodes must be heard: else the control plane may be the one that is cut off, or the cluster is down,
 * and nobody is fenced. Of two nodes one is enough: the control plane, of which there is one, is the third voice. One answer on any path is enough to
 * leave a node alone.
 */
export function judgeSuspect(evidence: SuspectEvidence): SuspectVerdict {
  const { node, silentSince, configured, heard, probes } = evidence;
  if (silentSince === null) return { is: 'back' };
  const facts = [`its heartbeats have been missing since ${silentSince}`, ...probes.map((probe) => probeText(node, probe))];
  if (probes.some(({ answers, heartbeat }) => heartbeat?.moves === true || answers.some(({ answer }) => answer !== null))) return { is: 'answering', facts };
  const others = heard.filter((name) => name !== node);
  const majority = configured.length === 2 ? 1 : Math.floor(configured.length / 2) + 1;
  if (others.length < majority)
    return { is: 'uncertain', facts: [...facts, `only ${others.length} of ${configured.length} nodes are heard, ${majority} are a majority`] };
  const wanted = Math.min(OBSERVERS, others.length);
  if (probes.length < wanted) return { is: 'uncertain', facts: [...facts, `${probes.length} of ${wanted} nodes could look at it`] };
  return { is: 'silent', facts };
}

/**
 * Why an operator's word that a node is off can't be true; null: nothing contradicts it. A refused connection may come from a gateway in place of a
 * machine that is off, an open one comes from a machine.
 */
export function whyNotDead({ node, silentSince, probes }: SuspectEvidence): string | null {
  if (silentSince === null) return `its heartbeats are heard`;
  const found = probes.flatMap(({ from, answers, heartbeat }) => [
    ...answers.flatMap(({ address, answer }) => (answer === 'open' ? [`${from} reaches it at ${address}`] : [])),
    ...(heartbeat?.moves === true ? [`${from} sees it write its heartbeat on storage ${heartbeat.storage}`] : []),
  ]);
  return found.length === 0 ? null : `${node} has power: ${found.join(', ')}`;
}

/** Is a node that is silent since then to be looked into? */
export function isSuspect({ silentSince }: { readonly silentSince: string | null }, { nowMs, afterMs }: { nowMs: number; afterMs: number }): boolean {
  return silentSince !== null && nowMs - Date.parse(silentSince) >= afterMs;
}

/** Who shall look: those that are heard, in order, no more than three. */
export function observersOf({ node, heard }: Pick<SuspectEvidence, 'node' | 'heard'>): readonly NodeName[] {
  return heard.filter((name) => name !== node).slice(0, OBSERVERS + 1);
}

function probeText(node: NodeName, { from, answers, heartbeat }: NodeProbe): string {
  const words = answers.map(({ address, answer }) =>
    answer === null ? `nothing from ${address}` : answer === 'open' ? `a connection to ${address}` : `a refusal from ${address}`,
  );
  const beats = heartbeat === undefined ? '' : `, and its heartbeat on storage ${heartbeat.storage} ${heartbeat.moves ? 'goes on' : 'stands still'}`;
  return `${from} gets ${words.join(' and ')} of ${node}${beats}`;
}
