import { describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../src/domain/ids.js';
import { isSuspect, judgeSuspect, observersOf, whyNotDead, type SuspectEvidence } from '../../../src/domain/suspect-node.js';

const [node, one, two, three, four] = ['node1', 'node2', 'node3', 'node4', 'node5'].map(parseNodeName);
if (node === undefined || one === undefined || two === undefined || three === undefined || four === undefined) throw new Error('names');
const silence = (from: typeof one) => ({ from, answers: [{ address: 'a', answer: null }] });
const evidence = (more: Partial<SuspectEvidence> = {}): SuspectEvidence => ({
  node,
  silentSince: '2026-01-01T00:00:00Z',
  configured: [node, one, two],
  heard: [one, two],
  probes: [silence(one), silence(two)],
  ...more,
});

describe('a suspect', () => {
  it('is silent once a majority is heard and two have looked in vain', () => {
    expect(judgeSuspect(evidence()).is).toBe('silent');
    expect(judgeSuspect(evidence({ probes: [silence(one)] })).is).toBe('uncertain');
  });

  it('is never silent by the word of half of the nodes, or less', () => {
    for (const [configured, heard] of [
      [[node, one, two], [one]],
      [
        [node, one, two, three],
        [one, two],
      ],
      [
        [node, one, two, three, four],
        [one, two],
      ],
    ] as const)
      expect(judgeSuspect(evidence({ configured, heard })).is).toBe('uncertain');
  });

  it('is silent by the word of the only other node, with that of the control plane, and never by that of the control plane alone', () => {
    expect(judgeSuspect(evidence({ configured: [node, one], heard: [one], probes: [silence(one)] })).is).toBe('silent');
    expect(judgeSuspect(evidence({ configured: [node, one], heard: [one], probes: [] })).is).toBe('uncertain');
    expect(judgeSuspect(evidence({ configured: [node, one], heard: [], probes: [] })).is).toBe('uncertain');
  });

  it('is left alone for one answer on any path, also a refusal', () => {
    for (const answer of ['open', 'refused'] as const) {
      const probes = [
        silence(one),
        {
          from: two,
          answers: [
            { address: 'a', answer: null },
            { address: 'b', answer },
          ],
        },
      ];
      expect(judgeSuspect(evidence({ probes })).is).toBe('answering');
    }
  });

  it('is left alone while one node sees it write its heartbeat on a storage, and is no less silent for one that stands still', () => {
    const beating = (moves: boolean) => evidence({ probes: [silence(one), { ...silence(two), heartbeat: { storage: 'nfs', moves } }] });
    expect(judgeSuspect(beating(true))).toMatchObject({ is: 'answering', facts: expect.arrayContaining([expect.stringMatching(/on storage nfs goes on/)]) });
    expect(whyNotDead(beating(true))).toContain('sees it write its heartbeat on storage nfs');
    expect(judgeSuspect(beating(false))).toMatchObject({ is: 'silent', facts: expect.arrayContaining([expect.stringMatching(/on storage nfs stands still/)]) });
    expect(whyNotDead(beating(false))).toBeNull();
  });

  it('is back when it is heard', () => {
    expect(judgeSuspect(evidence({ silentSince: null }))).toEqual({ is: 'back' });
  });

  it('is looked at by three others at most, never by itself', () => {
    expect(observersOf({ node, heard: [node, one, two, three, four] })).toEqual([one, two, three]);
  });

  it('is one only after the time that was set', () => {
    const at = (seconds: number) => ({ nowMs: Date.parse('2026-01-01T00:00:00Z') + seconds * 1_000, afterMs: 60_000 });
    expect([59, 60].map((seconds) => isSuspect(evidence(), at(seconds)))).toEqual([false, true]);
    expect(isSuspect({ silentSince: null }, at(1_000))).toBe(false);
  });
});

describe('the word of an operator', () => {
  it('needs no majority, and is not believed against heartbeats or an open connection', () => {
    expect(whyNotDead(evidence({ heard: [], probes: [] }))).toBeNull();
    expect(whyNotDead(evidence({ probes: [{ from: one, answers: [{ address: 'a', answer: 'refused' }] }] }))).toBeNull();
    expect(whyNotDead(evidence({ probes: [{ from: one, answers: [{ address: 'a', answer: 'open' }] }] }))).toMatch(/node2 reaches it at a/);
    expect(whyNotDead(evidence({ silentSince: null }))).toMatch(/heard/);
  });
});
