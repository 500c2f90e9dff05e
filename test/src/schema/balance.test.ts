import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../../src/config/load-yaml.js';
import { balancePolicyOf, openUntil } from '../../../src/schema/balance-policy.js';
import { clusterConfigSchema } from '../../../src/schema/cluster-config.js';

const read = (balance: string) => parseYaml(`cluster: one\nnodes: {}\n${balance}`, { file: 'kedge.yaml', schema: clusterConfigSchema }).balance;
const NIGHT = 'onlyIn: [{ zone: Europe/Berlin, start: 2026-01-01T22:00, rule: FREQ=DAILY, duration: 6h }]';

describe('balance of kedge.yaml', () => {
  test('is off when it says nothing', () => {
    expect(balancePolicyOf(read(''))).toBeNull();
  });

  test('has defaults, in milliseconds and shares', () => {
    expect(balancePolicyOf(read(`balance: { enabled: true, ${NIGHT} }`))).toEqual({
      intervalMs: 300_000,
      historyMs: 1_800_000,
      beginAbove: 0.2,
      stopBelow: 0.1,
      cooldownMs: 7_200_000,
      maxMoves: 4,
      parallel: 1,
      onlyIn: [{ zone: 'Europe/Berlin', start: '2026-01-01T22:00', rule: 'FREQ=DAILY', durationMs: 21_600_000 }],
    });
  });

  test.for([
    ['{ stopBelowPercent: 20 }', 'kedge.yaml:3: balance.stopBelowPercent: current value is 20, must be less than beginAbovePercent, which is 20'],
    ['{ intervalMinutes: 60 }', 'balance.intervalMinutes: current value is 60, must be at most historyMinutes, which is 30'],
    ['{ cooldown: 5 }', 'balance.cooldown: current value is 5, is not a known key'],
    ['{ maxMoves: 0 }', 'balance.maxMoves: current value is 0'],
    ['{ onlyIn: [{ zone: Mars, start: 2026-01-01T22:00, duration: 6h }] }', 'balance.onlyIn.0.zone: current value is "Mars", must be the IANA name'],
    ['{ onlyIn: [{ zone: Europe/Berlin, start: 2026-01-01T22:00, duration: 1s }] }', 'balance.onlyIn.0.duration'],
  ])('refuses %s', ([balance, why]) => {
    expect(() => read(`balance: ${balance}`)).toThrow(why);
  });

  test.for([
    ['start: 2026-03-29T02:30', 'balance.onlyIn.0.start', 'they skip this one'],
    ['start: 2026-01-01T22:00, rule: FREQ=SOMETIMES', 'balance.onlyIn.0.rule', 'must be an RRULE'],
  ] as const)('refuses times that no calendar has, also while it is off: %s', ([times, field, why]) => {
    const config = read(`balance: { onlyIn: [{ zone: Europe/Berlin, ${times}, duration: 6h }] }`);
    expect(() => balancePolicyOf(config)).toThrow(expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(field) }));
    expect(() => balancePolicyOf(config)).toThrow(why);
  });
});

test('the times are open until the longest that runs ends', () => {
  const night = { zone: 'Europe/Berlin', start: '2026-01-01T22:00', rule: 'FREQ=DAILY', durationMs: 6 * 3_600_000 };
  const hour = { ...night, durationMs: 3_600_000 };
  expect(openUntil([], '2026-03-01T12:00:00Z')).toEqual({ until: null });
  expect(openUntil([night], '2026-03-01T12:00:00Z')).toBe('closed');
  expect(openUntil([hour, night], '2026-03-01T21:30:00Z')).toEqual({ until: '2026-03-02T03:00:00.000Z' });
});
