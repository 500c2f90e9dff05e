/** A balance in a blackout moves what it may, and says what it may not. */
import { describe, expect, test } from 'vitest';
import { judgeBalance } from '../../../../src/domain/balance/judge-balance.js';
import { nextBalance, type BalanceQuestion } from '../../../../src/domain/balance/next-balance.js';
import { newDrain } from '../../../../src/domain/drain/drain-state.js';
import { parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { DEFAULT_BALANCE_LIMITS as limits } from '../../../../src/domain/plan/plan-balance.js';
import type { OpenBlackout } from '../../../../src/domain/window/blackout.js';
import { plainGuest } from '../../../support/plain-guest.js';
import { plainCluster, plainNode } from '../../../support/plain-node.js';

const NOW = '2026-12-01T22:00:00.000Z';
const ENDS = '2026-12-01T23:00:00.000Z';
const open = (changes: Partial<OpenBlackout> = {}): OpenBlackout => ({ name: 'freeze', nodes: null, guests: null, endsAt: ENDS, ...changes });
const CLUSTER = plainCluster(
  ['node1', 'node2', 'node3'].map((name) => plainNode(name)),
  Array.from({ length: 6 }, (_, at) => plainGuest(101 + at, 'node1', { memoryBytes: 8 * 2 ** 30 })),
);
const state = newDrain(NOW);
const ask = (blackouts: readonly OpenBlackout[], changes: Partial<BalanceQuestion> = {}) =>
  nextBalance(CLUSTER, [], {
    ...{ state, limits, parallel: 9, now: NOW, until: null, leave: [], memory: null, options: {}, moveRetryMs: 1, lagMs: 1, blackouts },
    ...changes,
  });

describe('a balance in a blackout', () => {
  test('of everything begins nothing, and ends with the name and the end of the blackout', () => {
    const steps = ask([open()]);
    expect([steps.moves, steps.quiet?.[0]?.reason]).toEqual([[], `blackout freeze is on until ${ENDS}`]);
    expect(judgeBalance(steps, state, { limits, pauses: { drainLookMs: 1, lookAgainMs: 1 } })).toEqual({ do: 'end', end: 'blackout' });
  });

  test('of a node moves guests elsewhere, and of some guests the others', () => {
    expect(new Set(ask([open({ nodes: [parseNodeName('node2')] })]).moves.map(({ to }) => to))).toEqual(new Set(['node3']));
    const guests = [101, 102, 103].map(parseVmid);
    const { moves, quiet } = ask([open({ guests })]);
    expect([moves.length > 0, moves.filter(({ vmid }) => guests.includes(vmid)), quiet]).toEqual([true, [], []]);
  });

  test('of some guests on one node sends them to another one', () => {
    const nodes = [parseNodeName('node2')];
    const guests = CLUSTER.guests.map(({ vmid }) => vmid);
    expect(new Set(ask([open({ nodes, guests })]).moves.map(({ to }) => to))).toEqual(new Set(['node3']));
    expect(ask([open({ nodes: [parseNodeName('node1')], guests })]).moves).toEqual([]);
  });

  test('moves all the same when it is to ignore blackouts', () => {
    expect(ask([open()], { options: { ignoreBlackout: true } }).moves.length).toBeGreaterThan(0);
  });
});
