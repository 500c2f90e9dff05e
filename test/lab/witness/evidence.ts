import type { ObserverReport, VerifyAnswer } from '../../../lab/witness/observer-report.js';
import type { Evidence } from '../../../lab/witness/verdict.js';

/** What is found about a guest that migrated once, with nothing wrong. */
export function goodReport(): ObserverReport {
  const gap = { endedAtMs: 1_000_500, lengthMs: 69, guestClockMs: 10.5, tick: 1200 };
  return {
    vmid: 101,
    nowMs: 1_001_000,
    startedAtMs: 990_000,
    address: '10.90.2.101',
    nonce: '000000000000feed',
    tickMs: 5,
    ticks: {
      first: 1000,
      last: 3000,
      received: 2001,
      missing: 0,
      duplicates: 0,
      reordered: 0,
      regressions: 0,
      counterRegressions: 0,
      alternations: 0,
      doubleRunner: false,
      firstRegression: null,
      spacing: [{ upToMs: 6, count: 2000 }],
      silentMs: 3,
      longestStopMs: 58.5,
      longestStop: gap,
      longestGapMs: 69,
      longestGap: gap,
      gapCount: 1,
      gaps: [gap],
    },
    ping: { sent: 500, received: 497, silentMs: 12, longestRoundTripMs: 4, longestGapMs: 68, longestGap: gap, gapCount: 1, gaps: [gap] },
    memory: { errors: 0, pagesWritten: 50_000, pagesVerified: 80_000, passes: 2 },
    journal: { errors: 0 },
    reboots: 0,
    boots: [{ nonce: '000000000000feed', firstSeenMs: 900_000, lastSeenMs: 1_000_997, firstTick: 1, lastTick: 3000, journalFirst: 1, journalAcked: 400 }],
    marks: [],
    observer: { startedAtMs: 890_000, restarts: 0, rejected: 0 },
  };
}

export function goodVerify(): VerifyAnswer {
  return { pagesChecked: 65_536, errorsFound: 0, memoryErrors: 0, firstError: null };
}

export function goodEvidence(): Evidence {
  return { report: goodReport(), verify: goodVerify(), journal: { ok: true, checked: 400, bad: 0, firstBad: null } };
}
