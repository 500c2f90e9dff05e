import type { GuestKind } from '../../src/domain/ownership.js';
import type { JournalCheck } from './journal-check.js';
import type { ObserverReport, VerifyAnswer } from './observer-report.js';

/** What is said about a witness guest since its measuring interval began; docs/witness.md is its contract with other programs. */
export interface Verdict {
  readonly vmid: number;
  /** No reason against it was found: the guest lost nothing and ran once. */
  readonly ok: boolean;
  readonly ticks: number;
  /** Ticks that never arrived. Not against the guest: they are datagrams, and cutting the network loses them. */
  readonly missingTicks: number;
  /** Times that the guest lived through a moment again: rolled-back or forked memory. */
  readonly regressions: number;
  readonly doubleRunner: boolean;
  /** Longest time without a tick, the present silence included. */
  readonly longestGapMs: number;
  /** Longest time that the guest's own clock stood still: a stop, as in a switchover, without the waits of a busy host. */
  readonly longestStopMs: number;
  /** The whole gap between two ticks around that stop. */
  readonly stopGapMs: number;
  readonly pingGapMs: number;
  /** Null for a container: its memory is not kept, see `unchecked`. */
  readonly memoryIntact: boolean | null;
  readonly diskIntact: boolean;
  readonly reboots: number;
  readonly pagesChecked: number;
  readonly recordsChecked: number;
  readonly reasons: readonly string[];
  /** What was not looked at, and why. */
  readonly unchecked: readonly string[];
}

export interface Evidence {
  /** Default `qemu`. A container moves by a restart: it boots again, and its memory is not kept. */
  readonly kind?: GuestKind;
  readonly report: ObserverReport;
  /** The full memory pass; null: the guest did not answer. */
  readonly verify: VerifyAnswer | null;
  /** Null: the guest has no journal, or nobody could read its disk. */
  readonly journal: JournalCheck | null;
  /** Reboots that the judge's experiment allows, e.g. 1 after a power cut of the node; more are a loss of memory. */
  readonly allowedReboots?: number;
}

/** A guest that says nothing for this long does not run, or nobody can reach it. */
const SILENT_MS = 2_000;

/** Judges a witness guest. Pure: the same evidence gives the same verdict. */
export function judgeWitness(evidence: Evidence): Verdict {
  const { report, verify, journal } = evidence;
  const { ticks, ping } = report;
  const isContainer = evidence.kind === 'lxc';
  const memoryReasons = isContainer ? [] : memoryComplaints(evidence);
  const diskReasons = diskComplaints(evidence);
  const reasons = [...lifeComplaints(report), ...memoryReasons, ...diskReasons];
  return {
    vmid: report.vmid,
    ok: reasons.length === 0,
    ticks: ticks.received,
    missingTicks: ticks.missing,
    regressions: ticks.regressions + ticks.counterRegressions,
    doubleRunner: ticks.doubleRunner,
    longestGapMs: Math.max(ticks.longestGapMs, ticks.silentMs),
    longestStopMs: ticks.longestStopMs,
    stopGapMs: ticks.longestStop?.lengthMs ?? 0,
    pingGapMs: Math.max(ping.longestGapMs, ping.silentMs),
    memoryIntact: isContainer ? null : memoryReasons.length === 0,
    diskIntact: diskReasons.length === 0,
    reboots: report.reboots,
    pagesChecked: verify?.pagesChecked ?? 0,
    recordsChecked: journal?.checked ?? 0,
    reasons,
    unchecked: isContainer ? ['memory: a container moves by a restart, its memory is not kept'] : [],
  };
}

function lifeComplaints({ ticks, ping }: ObserverReport): string[] {
  const reasons: string[] = [];
  if (ticks.silentMs < 0 || ticks.silentMs > SILENT_MS)
    reasons.push(`no tick for ${Math.round(ticks.silentMs)} ms: the guest does not run, or is out of reach`);
  else if (ping.silentMs < 0 || ping.silentMs > SILENT_MS) reasons.push(`no ping reply for ${Math.round(ping.silentMs)} ms, although it ticks`);
  if (ticks.doubleRunner) reasons.push(`two runners: two sequences of ticks advanced at once (${ticks.alternations} alternations)`);
  const first = ticks.firstRegression;
  if (first !== null) reasons.push(`memory went back: tick ${first.tick} came again after tick ${first.after} (${ticks.regressions} times in all)`);
  return reasons;
}

function memoryComplaints({ report, verify, allowedReboots = 0 }: Evidence): string[] {
  const reasons: string[] = [];
  if (report.reboots > allowedReboots) reasons.push(`the guest booted again ${report.reboots} times: its memory was lost`);
  const { regressions, counterRegressions } = report.ticks;
  if (counterRegressions > 0) reasons.push(`counters in memory fell while ticks rose (${counterRegressions} times): parts of memory went back`);
  if (regressions > 0 && !report.ticks.doubleRunner) reasons.push('memory is not that of the last tick before');
  if (verify === null) reasons.push('the guest did not answer the memory check');
  else if (verify.memoryErrors > 0) {
    const first = verify.firstError;
    const place = first === null ? '' : `, first in page ${first.page} at byte ${first.offset}: expected ${first.expected}, found ${first.found}`;
    reasons.push(`memory errors: ${verify.memoryErrors}${place}`);
  }
  return reasons;
}

function diskComplaints({ report, journal }: Evidence): string[] {
  const reasons: string[] = [];
  if (report.journal.errors > 0) reasons.push(`the guest could not write its journal (${report.journal.errors} errors)`);
  for (const [index, boot] of report.boots.entries()) {
    const before = report.boots[index - 1];
    if (before !== undefined && boot.journalFirst > 0 && boot.journalFirst <= before.journalAcked) {
      reasons.push(`the disk went back: boot ${boot.nonce} began at record ${boot.journalFirst} although ${before.journalAcked} was acknowledged`);
    }
  }
  const promised = report.boots.some(({ journalAcked }) => journalAcked > 0);
  if (journal === null && promised) reasons.push('the journal was not read');
  const bad = journal?.firstBad ?? null;
  if (bad !== null) reasons.push(`journal record ${bad.seq} (byte ${bad.offset}): ${bad.why}; ${journal?.bad ?? 0} bad records in all`);
  return reasons;
}
