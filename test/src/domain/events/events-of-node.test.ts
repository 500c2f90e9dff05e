import { describe, expect, it } from 'vitest';
import { eventsOfFact } from '../../../../src/domain/events/events-of-fact.js';
import type { EventFact, NodeFact, RecoveryFact, RunFact } from '../../../../src/domain/events/facts.js';
import type { NodeEntityStatus } from '../../../../src/domain/node-facts.js';
import type { RecoveryReport } from '../../../../src/domain/recovery.js';
import { node1, node2, vmid } from '../../cli/stories.js';

const START = '2026-03-01T12:00:00.000Z';
const END = '2026-03-01T12:00:05.000Z';
const over = { endedAt: END, state: 'completed' } as const;
const kinds = (fact: EventFact): readonly string[] => eventsOfFact(fact).map(({ kind }) => kind);
const run = (workflowId: string, changes: Partial<RunFact> = {}): RunFact => ({
  workflowId,
  runId: 'run-1',
  startedAt: START,
  endedAt: null,
  state: 'running',
  ...changes,
});

describe('events of a node', () => {
  const status = (changes: Partial<NodeEntityStatus> = {}): NodeEntityStatus => ({
    node: node1,
    bootId: null,
    registeredAt: null,
    cordoned: false,
    silentSince: null,
    ...changes,
  });
  const fact = (states: readonly (readonly [string, NodeEntityStatus])[], runId = 'run-1'): NodeFact => ({
    of: 'node',
    run: run('node-node1', { runId }),
    node: node1,
    states: states.map(([at, one]) => ({ at, status: one })),
  });
  const up = status({ bootId: 'b1', registeredAt: START });

  it('follow from what changed between two states', () => {
    const silent = { ...up, silentSince: END };
    const events = eventsOfFact(
      fact([
        [START, status()],
        [START, up],
        [END, silent],
        [END, { ...silent, cordoned: true }],
        [END, { ...up, registeredAt: END }],
      ]),
    );
    expect(events.map(({ kind }) => kind)).toEqual(['node-registered', 'node-silent', 'node-cordoned', 'node-registered', 'node-uncordoned']);
    expect(new Set(events.map(({ id }) => id)).size).toBe(5);
  });

  it('are not told again by a run that carries the state on', () => {
    expect(
      eventsOfFact(
        fact(
          [
            [END, up],
            [END, { ...up, away: [] }],
          ],
          'run-2',
        ),
      ),
    ).toEqual([]);
  });
});

describe('events of a recovery', () => {
  const report = (changes: Partial<RecoveryReport> = {}): RecoveryReport => ({
    node: node1,
    startedAt: START,
    phase: 'looking',
    silentSince: START,
    evidence: [],
    question: null,
    proof: null,
    taken: [],
    owed: [],
    left: [],
    ...changes,
  });
  const fact = (changes: Partial<RecoveryFact> = {}): RecoveryFact => ({
    of: 'recovery',
    run: run('recovery-node1'),
    node: node1,
    said: report(),
    failure: null,
    ...changes,
  });
  const proof = { bootId: 'b1', statedBy: 'fence_ipmilan', basis: 'fenced', at: END } as const;

  it('tell that it is suspect, fenced, taken over and back', () => {
    const said = report({ phase: 'back', silentSince: null, proof, taken: [{ vmid, to: node2, problem: null, at: END }] });
    expect(kinds(fact({ said, run: run('recovery-node1', over) }))).toEqual(['node-suspect', 'node-fenced', 'guest-taken', 'node-back']);
  });

  it('tell the guest that was taken by itself and by both nodes', () => {
    const taken = eventsOfFact(fact({ said: report({ proof, taken: [{ vmid, to: node2, problem: null }] }) })).at(-1);
    expect(taken).toMatchObject({ vmid, nodes: [node1, node2], at: START });
  });

  it('have the same ids in whatever run it goes on', () => {
    expect(eventsOfFact(fact({ run: run('recovery-node1', { runId: 'run-2' }) }))).toEqual(eventsOfFact(fact()));
  });

  it('ask the operator once for each time that it begins to wait', () => {
    const asking = report({ phase: 'asking', question: 'Switch it off', askedAt: END });
    expect(eventsOfFact(fact({ said: asking })).at(-1)).toMatchObject({ kind: 'node-needs-operator', at: END });
  });

  it('are none for a node that was heard all along', () => {
    expect(eventsOfFact(fact({ said: report({ silentSince: null }), run: run('recovery-node1', over) }))).toEqual([]);
  });
});
