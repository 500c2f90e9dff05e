/** A drain in a blackout waits, and fails nothing. */
import { describe, expect, test } from 'vitest';
import { newDrain } from '../../../../src/domain/drain/drain-state.js';
import { judgeDrain } from '../../../../src/domain/drain/judge-drain.js';
import { nextSteps, type DrainQuestion } from '../../../../src/domain/drain/next-steps.js';
import { resolveEvacuation } from '../../../../src/domain/drain/resolve-evacuation.js';
import { parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { ClusterSnapshot, SnapshotGuest } from '../../../../src/domain/plan/snapshot.js';
import type { OpenBlackout } from '../../../../src/domain/window/blackout.js';
import { plainGuest } from '../../../support/plain-guest.js';
import { plainCluster, plainNode } from '../../../support/plain-node.js';

const NOW = '2026-12-01T22:00:00.000Z';
const ENDS = '2026-12-01T23:00:00.000Z';
const node1 = parseNodeName('node1');
const guest = (vmid: number, changes: Partial<SnapshotGuest> = {}): SnapshotGuest => plainGuest(vmid, 'node1', changes);
const snapshot = (guests: readonly SnapshotGuest[]): ClusterSnapshot =>
  plainCluster(
    ['node1', 'node2'].map((name) => plainNode(name)),
    guests,
  );
const open = (changes: Partial<OpenBlackout> = {}): OpenBlackout => ({ name: 'freeze', nodes: null, guests: null, endsAt: ENDS, ...changes });
const ask = (guests: readonly SnapshotGuest[], changes: Partial<DrainQuestion>) =>
  nextSteps(snapshot(guests), [], {
    plan: 'evacuate',
    node: node1,
    state: newDrain(NOW),
    parallel: 1,
    now: NOW,
    until: null,
    force: null,
    options: {},
    moveRetryMs: 30_000,
    lagMs: 15_000,
    ...changes,
  });
const pauses = { drainLookMs: 10_000, lookAgainMs: 700 };

describe('a drain in a blackout', () => {
  test('begins nothing, names the blackout and its end, and looks again when it has ended', () => {
    const steps = ask([guest(100), guest(101)], { blackouts: [open()] });
    expect(steps).toMatchObject({ moves: [], stuck: [], stays: [], late: [], quietUntil: ENDS });
    expect(steps.waiting.map(({ reason }) => reason)).toEqual([`blackout freeze is on until ${ENDS}`, `blackout freeze is on until ${ENDS}`]);
    expect(judgeDrain(steps, newDrain(NOW), { timeIsUp: false, pauses, quietMs: 300_000 })).toEqual({ do: 'wait', lookAfterMs: 300_000, idle: false });
  });

  test('looks every ten minutes whether the blackout was taken away, and never more often than else', () => {
    const steps = ask([guest(100)], { blackouts: [open()] });
    expect(judgeDrain(steps, newDrain(NOW), { timeIsUp: false, pauses, quietMs: 86_400_000 })).toMatchObject({ lookAfterMs: 600_000 });
    expect(judgeDrain(steps, newDrain(NOW), { timeIsUp: false, pauses, quietMs: -5 })).toMatchObject({ lookAfterMs: 10_000 });
  });

  test('moves the guests that the blackout does not concern', () => {
    const steps = ask([guest(100), guest(101)], { blackouts: [open({ guests: [parseVmid(100)] })] });
    expect(steps.moves.map(({ vmid }) => vmid)).toEqual([101]);
    expect(steps.waiting.map(({ vmid }) => vmid)).toEqual([100]);
  });

  test('shuts no guest down either', () => {
    const local = guest(100, { kind: 'lxc', whenNotLive: 'shutdown' });
    expect(ask([local], {}).shutDowns).toEqual([100]);
    expect(ask([local], { blackouts: [open()] })).toMatchObject({ shutDowns: [], quietUntil: ENDS });
  });

  test('looks as often as ever when something else is waited for too', () => {
    const waits = guest(101, { kind: 'lxc', whenNotLive: 'wait' });
    expect(ask([guest(100), waits], { blackouts: [open()] })).toMatchObject({ quietUntil: null });
  });

  test('goes on when it is told to, and for what a failure needs', () => {
    expect(ask([guest(100)], { blackouts: [open()], options: { ignoreBlackout: true } }).moves).toHaveLength(1);
    expect(resolveEvacuation({ node: 'node1', priority: 'failure' }).options).toEqual({ ignoreBlackout: true });
    expect(resolveEvacuation({ node: 'node1' }).options).toEqual({});
  });

  test('ends as out of time when its own time is up before the blackout ends', () => {
    const steps = ask([guest(100)], { blackouts: [open()] });
    expect(judgeDrain(steps, newDrain(NOW), { timeIsUp: true, pauses, quietMs: 300_000 })).toMatchObject({ do: 'end', end: 'out-of-time' });
  });
});
