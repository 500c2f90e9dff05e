import { EVENT_KINDS, type ClusterEvent } from '../../domain/events/event.js';

const WIDEST = Math.max(...Object.keys(EVENT_KINDS).map((kind) => kind.length));

/** One event on one line: when, what kind, what happened. */
export function eventLine({ at, kind, text }: Pick<ClusterEvent, 'at' | 'kind' | 'text'>): string {
  // Reasons may be what a program has printed: a control character must not reach the terminal.
  return `${at}  ${kind.padEnd(WIDEST)}  ${text.replace(/\p{Cc}+/gu, ' ')}\n`;
}
