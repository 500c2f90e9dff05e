import { describe, expect, it, vi } from 'vitest';
import type { Decision } from '../../../src/domain/decide.js';
import type { InDoubt } from '../../../src/domain/in-doubt.js';
import { IN_DOUBT_TABLE } from '../../../src/domain/in-doubt-table.js';
import { decideAll, describeView, goldenTable } from '../../support/in-doubt-enumeration.js';

const STARTS_SOURCE: readonly Decision['do'][] = ['take-back', 'cont-on-source', 'start-from-disk-on-source'];
const STARTS_TARGET: readonly Decision['do'][] = ['hand-over', 'go', 'cont-on-target', 'start-from-disk-on-target', 'take-over-on-target'];
const RESUMES_SOURCE_MEMORY: readonly Decision['do'][] = ['take-back', 'cont-on-source'];

/** The source runs, or QEMU may let it run without asking anybody. */
const sourceMayRun = (view: InDoubt): boolean => ['running', 'pre-switchover', 'device'].includes(view.sourceQemu);

/** Go may have arrived and nothing excludes that the target acted on it. */
const targetMayRun = (view: InDoubt): boolean =>
  view.targetQemu === 'running' ||
  (view.targetRecord === 'owned' && view.targetQemu !== 'gone') ||
  (view.sourceRecord === 'released' && ['unknown', 'unreadable', 'armed'].includes(view.targetRecord));

// Three quarters of a million combinations: a slow machine needs more than the default 5 s for a look at all of them.
vi.setConfig({ testTimeout: 120_000 });

/** All combinations, decided once for all tests of this file. */
const decided = decideAll();

/** Collects the views that break a rule, as text, so that a failure names them. */
function violations(breaks: (view: InDoubt, decision: Decision) => boolean): string[] {
  const found: string[] = [];
  for (const [view, decision] of decided) {
    if (breaks(view, decision)) found.push(`${describeView(view)} → ${decision.do} (${decision.row})`);
  }
  return found.slice(0, 20);
}

describe('decide', () => {
  it('hits the rows that the golden table names, for every combination', async () => {
    await expect(goldenTable(decided)).toMatchFileSnapshot('./decide.golden.txt');
  });

  it('uses every row of the table, and each row has its own name', () => {
    const hit = new Set<string>();
    for (const [, decision] of decided) hit.add(decision.row);
    expect([...hit].filter((row) => row !== 'not-listed').sort()).toEqual(IN_DOUBT_TABLE.map((row) => row.id).sort());
  });

  it('never starts or resumes the source while the target may run', () => {
    expect(violations((view, decision) => STARTS_SOURCE.includes(decision.do) && targetMayRun(view))).toEqual([]);
  });

  it('never starts or resumes the target while the source may run', () => {
    expect(violations((view, decision) => STARTS_TARGET.includes(decision.do) && sourceMayRun(view))).toEqual([]);
  });

  it('sends go only after released, to an armed and complete target', () => {
    expect(
      violations(
        (view, decision) => decision.do === 'go' && !(view.sourceRecord === 'released' && view.targetRecord === 'armed' && view.targetQemu === 'loaded'),
      ),
    ).toEqual([]);
  });

  it('hands over only what both sides hold completely', () => {
    expect(violations((view, decision) => decision.do === 'hand-over' && !(view.sourceQemu === 'postmigrate' && view.targetQemu === 'loaded'))).toEqual([]);
  });

  it('resumes memory at the source only if no go was sent or the target proved that it never ran', () => {
    const safe = (view: InDoubt): boolean => ['owned-claimed', 'releasing', 'taken-back'].includes(view.sourceRecord) || view.targetRecord === 'revoked-ran-no';
    expect(violations((view, decision) => RESUMES_SOURCE_MEMORY.includes(decision.do) && !safe(view))).toEqual([]);
  });

  it('never resumes a guest whose copy at the source is gone', () => {
    expect(violations((view, decision) => RESUMES_SOURCE_MEMORY.includes(decision.do) && view.sourceQemu === 'gone')).toEqual([]);
  });

  it('never takes a guest back from a target that owns it', () => {
    const takes: readonly Decision['do'][] = [...STARTS_SOURCE, 'keep-on-source', 'revoke-target', 'take-over-on-target'];
    expect(violations((view, decision) => takes.includes(decision.do) && view.targetRecord === 'owned')).toEqual([]);
  });

  it('lets a source without a known record do nothing', () => {
    const acts: readonly Decision['do'][] = [...STARTS_SOURCE, 'hand-over', 'go', 'keep-on-source', 'release-source', 'revoke-target'];
    const unknown: readonly InDoubt['sourceRecord'][] = ['missing', 'unreadable', 'unknown', 'foreign'];
    expect(violations((view, decision) => unknown.includes(view.sourceRecord) && acts.includes(decision.do))).toEqual([]);
  });

  it('never infers from a target that cannot be read that it never ran, once go may have been sent', () => {
    const unknown: readonly InDoubt['targetRecord'][] = ['none', 'foreign', 'unreadable', 'unknown'];
    const idle: readonly Decision['do'][] = ['needs-evidence', 'wait', 'yank', 'alarm', 'superseded'];
    expect(violations((view, decision) => view.sourceRecord === 'released' && unknown.includes(view.targetRecord) && !idle.includes(decision.do))).toEqual([]);
  });

  it('starts from disk only where no copy of the memory may run', () => {
    const fromDisk: readonly Decision['do'][] = ['start-from-disk-on-source', 'start-from-disk-on-target', 'take-over-on-target'];
    expect(
      violations((view, decision) => fromDisk.includes(decision.do) && (sourceMayRun(view) || (targetMayRun(view) && view.targetQemu !== 'gone'))),
    ).toEqual([]);
  });

  it('treats an armed record of another boot as one that may have run', () => {
    expect(
      violations(
        (view, decision) =>
          view.targetRecord === 'armed-old-boot' && view.sourceRecord === 'released' && [...RESUMES_SOURCE_MEMORY, 'go'].includes(decision.do),
      ),
    ).toEqual([]);
  });

  it('leaves the disks of a lost node to an operator when they are not shared', () => {
    const fromDisk: readonly Decision['do'][] = ['start-from-disk-on-source', 'take-over-on-target'];
    const fenced = (view: InDoubt): boolean => view.sourceRecord === 'fenced' || (view.targetRecord === 'fenced' && view.sourceRecord !== 'taken-back');
    expect(violations((view, decision) => !view.sharedDisks && fenced(view) && fromDisk.includes(decision.do))).toEqual([]);
  });

  it('resumes nothing that is not wanted running', () => {
    expect(violations((view, decision) => ['cont-on-source', 'cont-on-target'].includes(decision.do) && view.wanted !== 'running')).toEqual([]);
  });

  it('kills only a copy that its own record has revoked', () => {
    expect(violations((view, decision) => decision.do === 'kill-target-copy' && !view.targetRecord.startsWith('revoked'))).toEqual([]);
  });

  it('raises an alarm whenever both copies run, and stops only a certain non-owner', () => {
    for (const [view, decision] of decided) {
      if (view.sourceQemu !== 'running' || view.targetQemu !== 'running') continue;
      expect(decision.do).toBe('alarm');
      if (decision.do === 'alarm' && decision.stop === 'source') expect(view.sourceRecord).toBe('released');
      if (decision.do === 'alarm' && decision.stop === 'target') expect(view.targetRecord).toMatch(/^revoked/);
    }
  });

  it('releases the source only to a target that owns the guest', () => {
    expect(violations((view, decision) => decision.do === 'release-source' && view.targetRecord !== 'owned')).toEqual([]);
  });
});
