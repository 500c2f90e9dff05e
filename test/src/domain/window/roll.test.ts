import { test as fuzz, fc } from '@fast-check/vitest';
import { describe, expect, test } from 'vitest';
import { parseNodeName, type NodeName } from '../../../../src/domain/ids.js';
import { overlapsOf } from '../../../../src/domain/window/overlap.js';
import { inBrief, isMissed, nextRollStep, roundAfter, roundBefore, type RollState } from '../../../../src/domain/window/roll.js';
import type { NodeOutcome, NodeResult, WindowReport } from '../../../../src/domain/window/window.js';

const [A, B, C] = [parseNodeName('a'), parseNodeName('b'), parseNodeName('c')];
const outcome = (node: NodeName, result: NodeResult): NodeOutcome => ({ node, result, reason: null, output: null });
const state = (changes: Partial<RollState>): RollState => ({
  nodes: [A, B, C],
  finished: [],
  passedOver: [],
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
  ['takes last what had its turn', { passedOver: [A] }, { do: 'begin', nodes: [B] }],
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

describe('a round', () => {
  const report = (changes: Partial<WindowReport>): WindowReport => {
    const base = { window: 'w', opensAt: '', closesAt: '', end: 'some-left', outcomes: [], atWork: [], finished: [], warning: null } as const;
    return { ...base, ...changes };
  };
  const NEW = { finished: [], passedOver: [] };

  test('goes on until each node has had its turn, and then begins anew', () => {
    expect(roundBefore(null, [A, B])).toEqual(NEW);
    expect(roundBefore(report({ finished: [A, C] }), [A, B])).toEqual({ finished: [A], passedOver: [] });
    expect(roundBefore(report({ finished: [A, B] }), [A, B])).toEqual(NEW);
    expect(roundBefore(report({ finished: [A], passedOver: [B] }), [A, B])).toEqual(NEW);
    expect(roundBefore(report({ finished: [A], outcomes: [outcome(B, 'failed')] }), [A, B])).toEqual(NEW);
    expect(roundBefore(report({ passedOver: [A], outcomes: [outcome(B, 'failed')] }), [A, B, C])).toEqual({ finished: [], passedOver: [A] });
  });

  test.for<[string, NodeResult, 'stop' | 'continue', object]>([
    ['is over for a node that is done', 'done', 'stop', { finished: [A, B], passedOver: [] }],
    ['is over for one that was not touched', 'not-touched', 'stop', { finished: [A], passedOver: [B] }],
    ['is over for one that was busy', 'busy', 'stop', { finished: [A], passedOver: [B] }],
    ['is over for one that failed where that stops nothing', 'failed', 'continue', { finished: [A], passedOver: [B] }],
    ['comes back first to one that failed and stopped it', 'failed', 'stop', { finished: [A], passedOver: [] }],
    ['comes back first to one that was cancelled', 'cancelled', 'stop', { finished: [A], passedOver: [] }],
    ['is over for one that a whole opening was too short for', 'out-of-time', 'stop', { finished: [A], passedOver: [B] }],
  ])('%s', ([, result, onFailure, after]) => {
    expect(roundAfter({ finished: [A], passedOver: [] }, [outcome(B, result)], onFailure)).toEqual(after);
  });

  test('comes back first to a node that ran out of time behind others', () => {
    expect(roundAfter({ finished: [A], passedOver: [] }, [outcome(C, 'done'), outcome(B, 'out-of-time')], 'stop')).toEqual({
      finished: [A, C],
      passedOver: [],
    });
  });

  test('that one node never lets end comes to the others again all the same', () => {
    const nodes = [A, B, C];
    let previous: WindowReport | null = null;
    const touched: NodeName[][] = [];
    for (let opening = 0; opening < 3; opening += 1) {
      const round = roundBefore(previous, nodes);
      const due = nodes.filter((node) => !round.finished.includes(node));
      const outcomes = due.map((node) => outcome(node, node === C ? 'not-touched' : 'done'));
      touched.push(due);
      previous = report({ outcomes, ...roundAfter(round, outcomes, 'stop') });
    }
    expect(touched).toEqual([nodes, nodes, nodes]);
  });
});

test('a window reports what failed work printed last, and nothing of other work', () => {
  const said = (result: NodeResult): NodeOutcome => ({ ...outcome(A, result), output: `${'x'.repeat(4_000)}no space` });
  expect(inBrief(said('done')).output).toBeNull();
  expect(inBrief(said('failed')).output).toMatch(/^x{792}no space$/);
  expect(inBrief(outcome(A, 'failed')).output).toBeNull();
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
