/** What the policies of guests mean when they come home, and what an order of a drain must say. */
import { describe, expect, test } from 'vitest';
import { newDrain } from '../../../../src/domain/drain/drain-state.js';
import { nextSteps, type DrainQuestion } from '../../../../src/domain/drain/next-steps.js';
import { withForce } from '../../../../src/domain/drain/plan-view.js';
import { resolveEvacuation, resolveNewEvacuation } from '../../../../src/domain/drain/resolve-evacuation.js';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { planEvacuation } from '../../../../src/domain/plan/plan-evacuation.js';
import type { NotLivePolicy } from '../../../../src/domain/plan/snapshot.js';
import { plainGuest } from '../../../support/plain-guest.js';
import { plainCluster, plainNode } from '../../../support/plain-node.js';

const NOW = '2026-12-01T22:00:00.000Z';
const HOME = parseNodeName('node1');
const NODES = ['node1', 'node2'].map((name) => plainNode(name));
const away = (whenNotLive: NotLivePolicy) => plainCluster(NODES, [plainGuest(101, 'node2', { kind: 'lxc', home: HOME, whenNotLive })]);
const ask = (whenNotLive: NotLivePolicy, force: NotLivePolicy | null = null) => {
  const common: Omit<DrainQuestion, 'force'> = {
    plan: 'restore',
    node: HOME,
    state: newDrain(NOW),
    parallel: 2,
    now: NOW,
    until: null,
    options: {},
    moveRetryMs: 1,
    lagMs: 1,
  };
  return nextSteps(away(whenNotLive), [], { ...common, force });
};

describe('an undrain', () => {
  test('shuts no guest down that runs away from its home, and says why it stays', () => {
    const steps = ask('shutdown');
    expect([steps.shutDowns, steps.moves]).toEqual([[], []]);
    expect(steps.stuck).toMatchObject([{ vmid: 101, reason: expect.stringContaining('only to leave a node') }]);
  });

  test('waits for guests whose policy it is, and moves them switched off when it is forced', () => {
    expect(ask('wait').waiting).toMatchObject([{ vmid: 101 }]);
    expect(ask('wait', 'offline').moves).toMatchObject([{ vmid: 101, way: 'restart', to: 'node1' }]);
  });
});

describe('an order to drain', () => {
  test('may name what becomes of waiting guests only with the instant from which on it holds', () => {
    expect(() => resolveNewEvacuation({ node: 'node1', force: 'offline' })).toThrow(
      /force: current value is "offline", must be absent, or together with "waitUntil"/,
    );
    expect(resolveNewEvacuation({ node: 'node1', force: 'offline', waitUntil: NOW })).toMatchObject({ force: 'offline', waitUntil: NOW });
    expect(resolveEvacuation({ node: 'node1', force: 'offline' }), 'of one that runs already').toMatchObject({ force: 'offline' });
  });

  test('that is only asked for shows what it would force', () => {
    const snapshot = plainCluster(NODES, [plainGuest(101, 'node1', { kind: 'lxc', whenNotLive: 'wait' })]);
    expect(planEvacuation(withForce(snapshot, null), [HOME]).moves).toEqual([]);
    expect(planEvacuation(withForce(snapshot, 'offline'), [HOME]).moves).toMatchObject([{ vmid: 101, way: 'restart' }]);
  });
});
