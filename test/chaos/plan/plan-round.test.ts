import { describe, expect, it } from 'vitest';
import { describeRound, faultClass } from '../../../chaos/plan/describe-round.js';
import { planRound } from '../../../chaos/plan/plan-round.js';
import { GUEST_KINDS, type RoundPlan } from '../../../chaos/plan/round-plan.js';
import { PASSED_POINTS } from '../../../chaos/plan/crash-routes.js';
import { SABOTAGES } from '../../../src/domain/sabotage.js';

const plans = (seed: number, rounds: number): RoundPlan[] => Array.from({ length: rounds }, (_, index) => planRound({ seed, sabotage: null }, index + 1));

describe('planRound', () => {
  it('plans the same rounds for the same seed, each from its number alone', () => {
    expect(plans(11, 50)).toEqual(plans(11, 50));
    expect(planRound({ seed: 11, sabotage: null }, 37)).toEqual(plans(11, 37).at(-1));
    expect(plans(11, 50).map(describeRound)).not.toEqual(plans(12, 50).map(describeRound));
  });

  it('meets every crash point that migrations pass, every kind of guest and every class of fault in the rounds of a full run', () => {
    expect(PASSED_POINTS.length).toBeGreaterThan(90);
    const many = plans(1, 400);
    const points = many.flatMap(({ fault }) => (fault.type === 'crash' ? [fault.point] : []));
    expect(PASSED_POINTS.filter((point) => !points.includes(point))).toEqual([]);
    for (const kind of GUEST_KINDS) expect(many.filter((plan) => plan.kind === kind).length).toBeGreaterThan(30);
    const classes = new Set(many.map(({ fault }) => faultClass(fault)));
    for (const victim of ['source worker', 'target worker', 'control', 'temporal', 'source qemu', 'target qemu']) expect(classes).toContain(`kill ${victim}`);
    for (const lasting of [
      'power source',
      'power target',
      'cut source',
      'cut target',
      'fill target',
      'slow-disk source',
      'clock source',
      'lose target',
      'return path lost',
    ])
      expect(classes, lasting).toContain(lasting);
  });

  it('arms crash points only on guests that pass them, and strikes all else at a moment', () => {
    for (const { fault, moment, kind } of plans(2, 400)) {
      expect(moment === null).toBe(fault.type === 'crash');
      if (fault.type === 'crash' && fault.point === 'source.power-down') expect(['offline', 'container']).toContain(kind);
      if (fault.type === 'crash' && fault.point === 'source.stream-start') expect(['live', 'bare']).toContain(kind);
      if (fault.type === 'crash' && fault.point === 'target.go-answer') expect(fault.moment).toBe('lost-reply');
    }
  });

  it('keeps the rounds short enough for 200 kills an hour: long cuts are rare', () => {
    const long = plans(3, 400).filter(({ fault }) => fault.type === 'lasting' && fault.forMs > 20_000);
    expect(long.length).toBeLessThan(12);
  });

  it.each(SABOTAGES)('aims the rounds of the sabotage %s', (sabotage) => {
    const plan = planRound({ seed: 1, sabotage }, 1);
    // A guest without disks: QEMU's lock of an image would stop a second runner, as no storage of a cluster does.
    expect(plan.kind).toBe(sabotage === 'skip-undo' ? 'offline' : 'bare');
    expect(describeRound(plan)).toMatchSnapshot();
  });
});
