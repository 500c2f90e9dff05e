/** What the observer and the guest answer, parsed where it comes in. docs/witness.md explains every field. */
import { z } from 'zod';

const gap = z.object({
  endedAtMs: z.number(),
  lengthMs: z.number(),
  /** How far the guest's own clock went in the gap; null: unknown. Near zero: the guest was stopped. */
  guestClockMs: z.number().nullable(),
  tick: z.number(),
});
/** A time without a tick or without a ping reply, seen from outside; wall-clock milliseconds. */
export type Gap = z.infer<typeof gap>;

const gapList = { longestGapMs: z.number(), longestGap: gap.nullable(), gapCount: z.number(), gaps: z.array(gap) };

export const observerReportSchema = z.object({
  vmid: z.number(),
  nowMs: z.number(),
  startedAtMs: z.number(),
  address: z.string(),
  nonce: z.string(),
  tickMs: z.number(),
  ticks: z.object({
    first: z.number(),
    last: z.number(),
    received: z.number(),
    missing: z.number(),
    duplicates: z.number(),
    reordered: z.number(),
    regressions: z.number(),
    counterRegressions: z.number(),
    alternations: z.number(),
    doubleRunner: z.boolean(),
    firstRegression: z.object({ atMs: z.number(), tick: z.number(), after: z.number() }).nullable(),
    spacing: z.array(z.object({ upToMs: z.number().nullable(), count: z.number() })),
    silentMs: z.number(),
    longestStopMs: z.number(),
    longestStop: gap.nullable(),
    ...gapList,
  }),
  ping: z.object({ sent: z.number(), received: z.number(), silentMs: z.number(), longestRoundTripMs: z.number(), ...gapList }),
  memory: z.object({ errors: z.number(), pagesWritten: z.number(), pagesVerified: z.number(), passes: z.number() }),
  journal: z.object({ errors: z.number() }),
  reboots: z.number(),
  boots: z.array(
    z.object({
      nonce: z.string(),
      firstSeenMs: z.number(),
      lastSeenMs: z.number(),
      firstTick: z.number(),
      lastTick: z.number(),
      journalFirst: z.number(),
      journalAcked: z.number(),
    }),
  ),
  marks: z.array(z.object({ atMs: z.number(), tick: z.number(), label: z.string() })),
  observer: z.object({ startedAtMs: z.number(), restarts: z.number(), rejected: z.number() }),
});
export type ObserverReport = z.infer<typeof observerReportSchema>;

const firstError = z.object({ page: z.number(), offset: z.number(), version: z.number(), expected: z.string(), found: z.string(), tick: z.number() });

export const guestStatusSchema = z.object({
  vmid: z.number(),
  nonce: z.string(),
  tick: z.number(),
  clockMs: z.number(),
  lateTicks: z.number(),
  longestTickMs: z.number(),
  sendErrors: z.number(),
  memory: z.object({
    pages: z.number(),
    ready: z.number(),
    /** Wanted and reached, bytes per second. */
    dirtyRate: z.number(),
    measuredRate: z.number(),
    written: z.number(),
    verified: z.number(),
    passes: z.number(),
    errors: z.number(),
    firstError: firstError.nullable(),
  }),
  journal: z.object({ first: z.number(), acked: z.number(), errors: z.number(), slots: z.number(), slowestSyncMs: z.number() }),
});
export type GuestStatus = z.infer<typeof guestStatusSchema>;

export const verifyAnswerSchema = z.object({
  pagesChecked: z.number(),
  errorsFound: z.number(),
  /** All errors of this boot, those of earlier checks too. */
  memoryErrors: z.number(),
  firstError: firstError.nullable(),
});
export type VerifyAnswer = z.infer<typeof verifyAnswerSchema>;
