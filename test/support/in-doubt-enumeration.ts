/** Every combination that the in-doubt table can meet, and their decisions as one text. */
import { decide, type Decision } from '../../src/domain/decide.js';
import { IN_DOUBT_DOMAIN, type InDoubt } from '../../src/domain/in-doubt.js';

/** Yields all combinations of the domain; the last field varies fastest. */
function* allInDoubt(): Generator<InDoubt> {
  for (const sourceQemu of IN_DOUBT_DOMAIN.sourceQemu)
    for (const sourceRecord of IN_DOUBT_DOMAIN.sourceRecord)
      for (const targetRecord of IN_DOUBT_DOMAIN.targetRecord)
        for (const targetQemu of IN_DOUBT_DOMAIN.targetQemu) yield* circumstancesOf({ sourceQemu, sourceRecord, targetRecord, targetQemu });
}

type Facts = Pick<InDoubt, 'sourceQemu' | 'sourceRecord' | 'targetRecord' | 'targetQemu'>;

function* circumstancesOf(facts: Facts): Generator<InDoubt> {
  for (const wanted of IN_DOUBT_DOMAIN.wanted)
    for (const attempt of IN_DOUBT_DOMAIN.attempt)
      for (const stream of IN_DOUBT_DOMAIN.stream)
        for (const frozen of IN_DOUBT_DOMAIN.frozen)
          for (const sharedDisks of IN_DOUBT_DOMAIN.sharedDisks) yield { ...facts, wanted, attempt, stream, frozen, sharedDisks };
}

export function describeView(view: InDoubt): string {
  return Object.entries(view)
    .map(([field, value]) => `${field}=${String(value)}`)
    .join(' ');
}

/** A view with its decision. */
export type Decided = readonly [view: InDoubt, decision: Decision];

/** Decides every combination once. */
export function decideAll(): readonly Decided[] {
  return [...allInDoubt()].map((view) => [view, decide(view)] as const);
}

/**
 * The decisions as text: one paragraph for each source state and group of target records with equal outcomes; in it
 * one line for each row that is met, with the target QEMU states (under whatever circumstances) that meet it.
 */
export function goldenTable(decided: readonly Decided[]): string {
  const paragraphs = new Map<string, string[]>();
  for (const [key, outcomes] of outcomesByRecords(decided)) {
    const [source, targetRecord] = key;
    const body = [...outcomes].map(([outcome, states]) => `    ${outcome}: ${[...states].join(' ')}`).join('\n');
    const paragraph = `${source}\n${body}`;
    paragraphs.set(paragraph, [...(paragraphs.get(paragraph) ?? []), targetRecord]);
  }
  return [...paragraphs].map(([paragraph, records]) => `[${records.join(' ')}] with source ${paragraph}\n`).join('');
}

function outcomesByRecords(decided: readonly Decided[]): readonly (readonly [readonly [string, string], Map<string, Set<string>>])[] {
  const table = new Map<string, readonly [readonly [string, string], Map<string, Set<string>>]>();
  for (const [view, decision] of decided) {
    const source = `${view.sourceQemu}, ${view.sourceRecord}`;
    const key = `${source}, ${view.targetRecord}`;
    const entry = table.get(key) ?? ([[source, view.targetRecord], new Map<string, Set<string>>()] as const);
    const outcome = `${decision.do} (${decision.row})`;
    entry[1].set(outcome, (entry[1].get(outcome) ?? new Set<string>()).add(view.targetQemu));
    table.set(key, entry);
  }
  return [...table.values()];
}
