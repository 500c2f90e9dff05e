import { z } from 'zod';
import { MOST_BALANCE_MOVES } from '../domain/balance/resolve-balance.js';
import { lastingField, startField, zoneField } from './window-fields.js';

const percent = z.int('must be whole percents').min(1).max(100);

/** Start and rule are looked at more closely by balance-policy.ts: the calendar is too heavy for every command that reads kedge.yaml. */
const times = z.strictObject({
  zone: zoneField,
  start: startField,
  rule: z.string().optional(),
  duration: lastingField({ longestDays: 7, why: '' }),
});

/** `balance` of kedge.yaml: whether, when and how much guests are moved so that nodes are evenly full. */
export const balanceSchema = z
  .strictObject({
    enabled: z.boolean().default(false),
    intervalMinutes: z.int().min(1).max(1_440).default(5),
    /** So far back loads count; nothing is begun before the balancer has looked for so long. */
    historyMinutes: z.int().min(1).max(1_440).default(30),
    /** A round begins when the fullest node is so much above the mean of all, in points of percent, */
    beginAbovePercent: percent.default(20),
    /** and goes on until none is so much above it. */
    stopBelowPercent: percent.default(10),
    /** A guest that has moved is left alone for so long. */
    cooldownMinutes: z.int().min(1).max(10_080).default(120),
    /** In one round. */
    maxMoves: z.int().min(1).max(MOST_BALANCE_MOVES).default(4),
    atOnce: z.int().min(1).max(MOST_BALANCE_MOVES).default(1),
    /** Rounds begin only then: occurrences as those of a maintenance window. */
    onlyIn: z.array(times).default([]),
  })
  .check((context) => {
    const { beginAbovePercent, stopBelowPercent, intervalMinutes, historyMinutes } = context.value;
    const refuse = (field: string, message: string): void => void context.issues.push({ code: 'custom', input: context.value, path: [field], message });
    if (stopBelowPercent >= beginAbovePercent) {
      refuse('stopBelowPercent', `must be less than beginAbovePercent, which is ${beginAbovePercent}: else guests move to and fro`);
    }
    if (intervalMinutes > historyMinutes) refuse('intervalMinutes', `must be at most historyMinutes, which is ${historyMinutes}`);
  });

export type BalanceConfig = z.output<typeof balanceSchema>;
