import { describe, expect, it } from 'vitest';
import { judgeWitness, type Evidence, type Verdict } from '../../../lab/witness/verdict.js';
import { goodEvidence, goodReport, goodVerify } from './evidence.js';

type Ticks = Evidence['report']['ticks'];
const withTicks = (ticks: Partial<Ticks>): Evidence => ({ ...goodEvidence(), report: { ...goodReport(), ticks: { ...goodReport().ticks, ...ticks } } });
const withReport = (report: Partial<Evidence['report']>): Evidence => ({ ...goodEvidence(), report: { ...goodReport(), ...report } });
const [boot] = goodReport().boots;
if (boot === undefined) throw new Error('the report has no boot');
const secondBoot = { ...boot, nonce: '0000000000000b07', journalFirst: 401, journalAcked: 450 };

describe('a guest that lost nothing', () => {
  it('gets a good verdict with all its numbers', () => {
    expect(judgeWitness(goodEvidence())).toEqual({
      vmid: 101,
      ok: true,
      ticks: 2001,
      missingTicks: 0,
      regressions: 0,
      doubleRunner: false,
      longestGapMs: 69,
      longestStopMs: 58.5,
      stopGapMs: 69,
      pingGapMs: 68,
      memoryIntact: true,
      diskIntact: true,
      reboots: 0,
      pagesChecked: 65_536,
      recordsChecked: 400,
      reasons: [],
      unchecked: [],
    });
  });

  it('may have lost ticks and pings on the network', () => {
    expect(judgeWitness(withTicks({ missing: 12, duplicates: 3, reordered: 1 }))).toMatchObject({ ok: true, missingTicks: 12 });
  });

  it('may be a container that was started again, whose memory nobody asked for', () => {
    const evidence = { ...withReport({ reboots: 1, boots: [boot, secondBoot] }), kind: 'lxc', verify: null } as const;
    expect(judgeWitness(evidence)).toMatchObject({ ok: true, reboots: 1, memoryIntact: null, unchecked: [expect.stringContaining('restart')] });
    const lost = { ...evidence, journal: { ok: false, checked: 400, bad: 1, firstBad: { seq: 7, slot: 6, nonce: boot.nonce, offset: 3072, why: 'checksum' } } };
    expect(judgeWitness(lost)).toMatchObject({ ok: false, diskIntact: false });
    expect(judgeWitness({ ...evidence, report: { ...evidence.report, ticks: { ...evidence.report.ticks, doubleRunner: true } } })).toMatchObject({ ok: false });
  });

  it('may have rebooted when the experiment allows it', () => {
    const evidence = withReport({ reboots: 1, boots: [boot, secondBoot] });
    expect(judgeWitness({ ...evidence, allowedReboots: 1 })).toMatchObject({ ok: true, reboots: 1 });
  });

  it('may have no journal', () => {
    expect(judgeWitness({ ...withReport({ boots: [{ ...boot, journalFirst: 0, journalAcked: 0 }] }), journal: null })).toMatchObject({
      ok: true,
      recordsChecked: 0,
    });
  });

  it('counts the present silence as a gap', () => {
    expect(judgeWitness(withTicks({ silentMs: 900 }))).toMatchObject({ ok: true, longestGapMs: 900 });
  });
});

const memoryError = { page: 7, offset: 16, version: 3, expected: '00', found: '20', tick: 9 };
const FAULTS: readonly [name: string, evidence: Evidence, verdict: Partial<Verdict>, reason: string][] = [
  ['is silent', withTicks({ silentMs: 60_000 }), { longestGapMs: 60_000 }, 'no tick for 60000 ms'],
  ['never ticked since the observer started', withTicks({ silentMs: -1 }), {}, 'does not run'],
  ['ticks but answers no ping', withReport({ ping: { ...goodReport().ping, silentMs: 5_000 } }), { pingGapMs: 5_000 }, 'no ping reply'],
  [
    'went back in time',
    withTicks({ regressions: 1, firstRegression: { atMs: 1, tick: 900, after: 1200 } }),
    { regressions: 1, memoryIntact: false },
    'tick 900 came again after tick 1200',
  ],
  [
    'runs twice',
    withTicks({ regressions: 40, alternations: 39, doubleRunner: true, firstRegression: { atMs: 1, tick: 900, after: 1200 } }),
    { doubleRunner: true },
    'two runners',
  ],
  ['has counters that fell', withTicks({ counterRegressions: 2 }), { regressions: 2, memoryIntact: false }, 'counters in memory fell'],
  [
    'has a damaged page',
    { ...goodEvidence(), verify: { ...goodVerify(), errorsFound: 0, memoryErrors: 1, firstError: memoryError } },
    { memoryIntact: false, diskIntact: true },
    'memory errors: 1, first in page 7 at byte 16',
  ],
  ['does not answer the memory check', { ...goodEvidence(), verify: null }, { memoryIntact: false, pagesChecked: 0 }, 'did not answer'],
  ['booted again', withReport({ reboots: 1, boots: [boot, secondBoot] }), { reboots: 1, memoryIntact: false, diskIntact: true }, 'booted again 1 times'],
  [
    'lost an acknowledged record',
    {
      ...goodEvidence(),
      journal: { ok: false, checked: 400, bad: 2, firstBad: { seq: 17, nonce: boot.nonce, slot: 16, offset: 8192, why: 'wrong checksum' } },
    },
    { diskIntact: false, memoryIntact: true },
    'journal record 17 (byte 8192): wrong checksum; 2 bad records in all',
  ],
  ['has a disk that nobody read', { ...goodEvidence(), journal: null }, { diskIntact: false }, 'the journal was not read'],
  ['can not write its disk', withReport({ journal: { errors: 3 } }), { diskIntact: false }, 'could not write its journal (3 errors)'],
  [
    'found an older disk when it booted',
    { ...withReport({ reboots: 1, boots: [boot, { ...secondBoot, journalFirst: 381 }] }), allowedReboots: 1 },
    { diskIntact: false, memoryIntact: true },
    'the disk went back: boot 0000000000000b07 began at record 381 although 400 was acknowledged',
  ],
];

describe('a guest gets a bad verdict when it', () => {
  it.each(FAULTS)('%s', (_name, evidence, verdict, reason) => {
    const judged = judgeWitness(evidence);
    expect(judged).toMatchObject({ ok: false, ...verdict });
    expect(judged.reasons.join('; ')).toContain(reason);
  });
});
