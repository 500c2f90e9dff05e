import { test as fuzz, fc } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { parseNodeName, type NodeName } from '../../../../src/domain/ids.js';
import { overlapsOf } from '../../../../src/domain/window/overlap.js';
import { finishedAfter, finishedBefore, isMissed, nextRollStep, type RollState } from '../../../../src/domain/window/roll.js';
import type { NodeOutcome, NodeResult, WindowReport } from '../../../../src/domain/window/window.js';

const [A, B, C] = [parseNodeName('a'), parseNodeName('b'), parseNodeName('c')];
const outcome = (node: NodeName, result: NodeResult): NodeOutcome => ({ node, result, reason: null, output: null });
const state = (changes: Partial<RollState>): RollState => ({
  nodes: [A, B, C],
  finished: [],
  outcomes: [],
  atWork: [],
  nowMs: 1,
  closesMs: 10,
  isCancelled: false,
  ...changes,
});
const ONE = { atOnce: 1, onFailure: 'stop' } as const;

test.for<[string, Partial<RollState>, object]>([
  ['begins with the first', {}, { do: 'begin', nodes: [A] }],
  ['waits while one is at work', { atWork: [A] }, { do: 'begin', nodes: [] }],
  ['leaves out what was done in an earlier window', { finished: [A, B] }, { do: 'begin', nodes: [C] }],
  ['begins nothing after its end', { nowMs: 10 }, { do: 'end', end: 'some-left' }],
  ['waits for what has begun, even after its end', { nowMs: 11, atWork: [A] }, { do: 'begin', nodes: [] }],
  ['stops at a failure', { outcomes: [outcome(A, 'failed')] }, { do: 'end', end: 'failed' }],
  ['goes on after a node that was not touched', { outcomes: [outcome(A, 'not-touched')] }, { do: 'begin', nodes: [B] }],
  ['ends with some left', { finished: [B, C], outcomes: [outcome(A, 'busy')] }, { do: 'end', end: 'some-left' }],
  ['ends when all are done', { finished: [B, C], outcomes: [outcome(A, 'done')] }, { do: 'end', end: 'done' }],
  ['begins nothing once it is cancelled', { isCancelled: true }, { do: 'end', end: 'cancelled' }],
])('a roll %s', ([, changes, step]) => {
  expect(nextRollStep(ONE, state(changes))).toEqual(step);
});

test('a failure does not stop a roll that is to go on', () => {
  expect(nextRollStep({ ...ONE, onFailure: 'continue' }, state({ outcomes: [outcome(A, 'failed')] }))).toEqual({ do: 'begin', nodes: [B] });
});

fuzz.prop([
  fc.integer({ min: 1, max: 3 }),
  fc.constantFrom('stop', 'continue'),
  fc.array(fc.constantFrom<NodeResult>('done', 'failed', 'not-touched', 'busy'), { minLength: 3, maxLength: 3 }),
])('never more nodes than allowed are out at once, each is begun once, and the roll ends', (atOnce, onFailure, given) => {
  let now = state({});
  const begun: NodeName[] = [];
  for (let step = nextRollStep({ atOnce, onFailure }, now); step.do === 'begin'; step = nextRollStep({ atOnce, onFailure }, now)) {
    begun.push(...step.nodes);
    const [first, ...others] = [...now.atWork, ...step.nodes];
    expect(others.length + 1).toBeLessThanOrEqual(atOnce);
    expect(first).toBeDefined();
    now = { ...now, atWork: others, outcomes: [...now.outcomes, outcome(first ?? A, given[begun.indexOf(first ?? A)] ?? 'done')] };
  }
  expect(new Set(begun).size).toBe(begun.length);
});

test('a round goes on until all are done, and then begins anew', () => {
  const report = (finished: readonly NodeName[]): WindowReport => ({
    window: 'w',
    opensAt: '',
    closesAt: '',
    end: 'some-left',
    outcomes: [],
    atWork: [],
    finished,
    warning: null,
  });
  expect(finishedBefore(null, [A, B])).toEqual([]);
  expect(finishedBefore(report([A, C]), [A, B])).toEqual([A]);
  expect(finishedBefore(report([A, B]), [A, B])).toEqual([]);
  expect(finishedAfter([A], [outcome(B, 'failed'), outcome(C, 'done')])).toEqual([A, C]);
});

test('a window that is woken too late is missed', () => {
  const window = { lateMs: 100, durationMs: 1_000 };
  expect(isMissed(window, { opensMs: 0, nowMs: 100 })).toBe(false);
  expect(isMissed(window, { opensMs: 0, nowMs: 101 })).toBe(true);
  expect(isMissed({ lateMs: 5_000, durationMs: 1_000 }, { opensMs: 0, nowMs: 1_001 })).toBe(true);
});

test('windows overlap only on the same nodes at the same time', () => {
  const at = (name: string, nodes: readonly NodeName[] | null, opensAt: string, closesAt: string) => ({ name, nodes, occurrences: [{ opensAt, closesAt }] });
  const mine = at('mine', [A], '1', '3');
  expect(overlapsOf(mine, [at('all', null, '2', '4'), at('other', [B], '2', '4'), at('later', [A], '3', '4'), at('mine', [A], '1', '3')])).toHaveLength(1);
});
