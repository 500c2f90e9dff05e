import { describe, expect, it } from 'vitest';
import { EVENT_KINDS, type ClusterEvent } from '../../../../src/domain/events/event.js';
import { eventsOfFact } from '../../../../src/domain/events/events-of-fact.js';
import type { BalanceFact, EvacuationFact, EventFact, MigrationFact, RunFact, UpkeepFact, WindowFact } from '../../../../src/domain/events/facts.js';
import type { BalanceReport } from '../../../../src/domain/balance/balance.js';
import type { EvacuationReport } from '../../../../src/domain/evacuation.js';
import { parseNodeName } from '../../../../src/domain/ids.js';
import type { StepReport } from '../../../../src/domain/migration.js';
import { failure, node1, node2, story, vmid } from '../../cli/stories.js';

const START = '2026-03-01T12:00:00.000Z';
const END = '2026-03-01T12:00:05.000Z';
const run = (workflowId: string, changes: Partial<RunFact> = {}): RunFact => ({
  workflowId,
  runId: 'run-1',
  startedAt: START,
  endedAt: null,
  state: 'running',
  ...changes,
});
const over = { endedAt: END, state: 'completed' } as const;
const broken = { endedAt: END, state: 'failed' } as const;
const kinds = (fact: EventFact): readonly string[] => eventsOfFact(fact).map(({ kind }) => kind);
const textOf = (fact: EventFact, kind: ClusterEvent['kind']): string | undefined => eventsOfFact(fact).find((event) => event.kind === kind)?.text;

describe('events of a migration', () => {
  const migration = (changes: Partial<MigrationFact> = {}): MigrationFact => ({
    of: 'migration',
    run: run('migration-101'),
    vmid,
    requestedBy: 'root@workstation',
    source: null,
    target: node2,
    said: null,
    failure: null,
    ...changes,
  });
  const step = (name: StepReport['step'], changes: Partial<StepReport> = {}): StepReport => ({
    step: name,
    startedAt: START,
    durationMs: 1_500,
    outcome: 'done',
    ...changes,
  });

  it('begin with its start, told by the index alone while no control worker answers', () => {
    expect(eventsOfFact(migration())).toEqual([
      {
        id: 'migration-101.run-1.started',
        at: START,
        kind: 'migration-started',
        text: 'Migration of guest 101 to node2 started, asked for by root@workstation',
        vmid,
        nodes: [node2],
        workflowId: 'migration-101',
      },
    ]);
  });

  it('tell when the guest changed hands, by the end of the switchover', () => {
    const said = story({ endedAt: null, steps: [step('pre-copy'), step('switchover')] });
    expect(eventsOfFact(migration({ said })).map(({ kind, at }) => [kind, at])).toEqual([
      ['migration-started', START],
      ['migration-committed', '2026-03-01T12:00:01.500Z'],
    ]);
  });

  it('do not take a hand-over that has only begun for done', () => {
    const begun = story({ endedAt: null, steps: [step('verify'), step('hand-over', { durationMs: 0 })] });
    expect(kinds(migration({ said: begun }))).toEqual(['migration-started']);
    const next = story({ endedAt: null, steps: [step('hand-over'), step('start', { durationMs: 0 })] });
    expect(kinds(migration({ said: next }))).toEqual(['migration-started', 'migration-committed']);
  });

  it('tell no hand-over that failed', () => {
    expect(
      kinds(
        migration({ run: run('migration-101', broken), said: story({ steps: [step('switchover', { outcome: 'failed' })] }), failure: failure('rolled-back') }),
      ),
    ).toEqual(['migration-started', 'migration-failed']);
  });

  it.each([
    ['migration-ended', over, null, { outcome: 'migrated' }],
    ['migration-failed', over, null, { outcome: 'guest-lost-memory' }],
    ['migration-cancelled', broken, failure('cancelled'), {}],
    ['migration-failed', broken, failure('not-converging'), {}],
  ] as const)('end with %s', (kind, end, why, said) => {
    expect(kinds(migration({ run: run('migration-101', end), said: story(said), failure: why })).at(-1)).toBe(kind);
  });

  it('end even when the execution was ended by force and says nothing', () => {
    expect(textOf(migration({ run: run('migration-101', broken) }), 'migration-failed')).toContain('ended by force');
  });

  it('tell each question to the operator by its instant', () => {
    const question = { step: 'release', code: 'node-silent', message: 'node1 is silent', since: END, choices: { retry: '', skip: '', abandon: '' } };
    const asked = eventsOfFact(migration({ said: story({ endedAt: null, steps: [], question }) })).at(-1);
    expect(asked).toMatchObject({ kind: 'migration-needs-operator', at: END, id: `migration-101.run-1.needs-operator.${END}` });
  });
});

describe('events of a drain', () => {
  const report = (changes: Partial<EvacuationReport> = {}): EvacuationReport => ({
    plan: 'evacuate',
    node: node2,
    requestedBy: 'somebody',
    startedAt: START,
    endedAt: null,
    end: null,
    moved: [],
    shutDown: [],
    moving: [],
    stayed: [],
    ...changes,
  });
  const drain = (changes: Partial<EvacuationFact> = {}): EvacuationFact => ({
    of: 'evacuation',
    run: run('evacuation-node2'),
    plan: 'evacuate',
    node: node2,
    said: report(),
    failure: null,
    ...changes,
  });

  it('have the same ids in whatever run it goes on', () => {
    const first = eventsOfFact(drain());
    const later = eventsOfFact(drain({ run: run('evacuation-node2', { runId: 'run-2', startedAt: END }) }));
    expect(later).toEqual(first);
    expect(eventsOfFact(drain({ run: run('evacuation-node2', { state: 'continued', endedAt: END }) }))).toEqual([]);
  });

  it('wait for its report while no control worker answers', () => {
    expect(eventsOfFact(drain({ said: null }))).toEqual([]);
  });

  it.each([
    ['drain-ended', 'evacuate', report({ end: 'done' }), over, null],
    ['drain-failed', 'evacuate', report({ end: 'some-stayed', stayed: [{ vmid, reason: 'no room' }] }), over, null],
    ['drain-failed', 'evacuate', report({ end: 'out-of-time' }), over, null],
    ['drain-cancelled', 'evacuate', report({ end: 'cancelled' }), over, null],
    ['drain-failed', 'evacuate', null, broken, failure('bad-input')],
    ['undrain-ended', 'restore', report({ end: 'done' }), over, null],
  ] as const)('end with %s (%s)', (kind, plan, said, end, why) => {
    expect(kinds(drain({ plan, said, run: run('evacuation-node2', end), failure: why })).at(-1)).toBe(kind);
  });

  it('tell of one that was ended by force only its end: its start was told under the id that its report has', () => {
    expect(kinds(drain({ said: null, run: run('evacuation-node2', broken) }))).toEqual(['drain-failed']);
  });

  it('name a guest that stayed, with its reason', () => {
    const stayed = [{ vmid, reason: 'no room' }];
    expect(textOf(drain({ said: report({ end: 'some-stayed', stayed }), run: run('evacuation-node2', over) }), 'drain-failed')).toContain('(101: no room)');
  });
});

describe('events of a balance', () => {
  const said: BalanceReport = {
    requestedBy: 'the balancer',
    startedAt: START,
    endedAt: null,
    end: null,
    nodes: [{ node: node1, before: 0.9, now: 0.5 }],
    moved: [],
    moving: [],
    failed: [],
    stayed: [],
  };
  const balance = (changes: Partial<BalanceFact> = {}): BalanceFact => ({ of: 'balance', run: run('balance'), said, failure: null, ...changes });

  it.each([
    [['balance-started'], run('balance'), said, null],
    [['balance-started', 'balance-ended'], run('balance', over), { ...said, end: 'no-better' }, null],
    [['balance-started', 'balance-failed'], run('balance', over), { ...said, end: 'failing' }, null],
    [['balance-started', 'balance-cancelled'], run('balance', over), { ...said, end: 'cancelled' }, null],
    [['balance-failed'], run('balance', broken), null, failure('bad-input')],
    [['balance-failed'], run('balance', broken), null, null],
    [[], run('balance'), null, null],
    [[], run('balance', { state: 'continued', endedAt: END }), said, null],
  ] as const)('are %j', (expected, itsRun, report, why) => {
    expect(kinds(balance({ run: itsRun, said: report, failure: why }))).toEqual(expected);
  });

  it('have the same ids in whatever run it goes on, and name who asked and its nodes', () => {
    const [first] = eventsOfFact(balance());
    expect(first).toMatchObject({ text: 'The balance started, asked for by the balancer', nodes: [node1] });
    expect(eventsOfFact(balance({ run: run('balance', { runId: 'run-2', startedAt: END }) }))).toEqual([first]);
  });
});

describe('events of a window', () => {
  const window = (changes: Partial<WindowFact> = {}): WindowFact => ({
    of: 'window',
    run: run('maintenance-patch-x'),
    window: 'patch',
    said: null,
    failure: null,
    ...changes,
  });
  const said = {
    window: 'patch',
    opensAt: START,
    closesAt: END,
    end: 'done',
    outcomes: [{ node: node1, result: 'done', reason: null, output: null }],
    atWork: [],
    finished: [],
    warning: null,
  } as const;

  it.each([
    [['window-opened'], run('w'), null],
    [['window-opened', 'window-closed'], run('w', over), said],
    [['window-opened', 'window-closed'], run('w', over), { ...said, end: 'some-left' }],
    [['window-opened', 'window-failed'], run('w', over), { ...said, end: 'failed' }],
    [['window-opened', 'window-failed'], run('w', broken), null],
    [['window-missed'], run('w', over), { ...said, end: 'missed' }],
    [['window-opened', 'window-closed'], run('w', over), { ...said, end: 'cancelled' }],
  ] as const)('are %j', (expected, itsRun, report) => {
    expect(kinds(window({ run: itsRun, said: report }))).toEqual(expected);
  });

  it('take a cancel before anything began for no failure', () => {
    expect(kinds(window({ run: run('w', broken), failure: failure('cancelled') }))).toEqual(['window-opened', 'window-closed']);
    expect(kinds(window({ run: run('w', broken), failure: failure('bad-input') }))).toEqual(['window-opened', 'window-failed']);
  });

  it.each([
    ['done', 'window-node-done'],
    ['not-touched', 'window-node-failed'],
    ['failed', 'window-node-failed'],
    ['busy', 'window-node-left'],
    ['out-of-time', 'window-node-left'],
    ['cancelled', 'window-node-left'],
  ] as const)('call a node that is %s %s', (result, kind) => {
    const outcome = { node: node1, result, reason: null, output: null };
    expect(kinds({ of: 'upkeep', run: run('u', over), node: node1, said: outcome, failure: null, progress: null }).at(-1)).toBe(kind);
  });

  it('tell two questions about one node apart', () => {
    const upkeep = (since: string | null): UpkeepFact => ({
      of: 'upkeep',
      run: run('upkeep-node1'),
      node: node1,
      said: null,
      failure: null,
      progress: { window: 'patch', node: node1, phase: 'waiting-for-operator', question: 'Did it work?', since },
    });
    const ids = [START, END].map((since) => eventsOfFact(upkeep(since)).at(-1)?.id);
    expect(new Set(ids).size).toBe(2);
    expect(kinds(upkeep(END))).toEqual(['window-node-started', 'window-needs-operator']);
  });
});

describe('events of the rest', () => {
  it('tell guest commands when they have ended', () => {
    const command = { of: 'guest-command', vmid, verb: 'start', node: parseNodeName('node1'), failure: null } as const;
    expect(kinds({ ...command, run: run('guest-101-start') })).toEqual([]);
    expect(kinds({ ...command, run: run('guest-101-start', over) })).toEqual(['guest-command']);
    expect(kinds({ ...command, run: run('guest-101-start', broken), failure: failure('guest-state') })).toEqual(['guest-command-failed']);
  });

  it('tell of a hook only what goes wrong with it', () => {
    const delivery = { of: 'delivery', hook: 'pager', eventId: 'x', lastFailure: null, failure: null } as const;
    expect(kinds({ ...delivery, run: run('d') })).toEqual([]);
    expect(kinds({ ...delivery, run: run('d', over) })).toEqual([]);
    expect(kinds({ ...delivery, run: run('d'), lastFailure: 'refused' })).toEqual(['hook-retrying']);
    expect(kinds({ ...delivery, run: run('d', broken), failure: failure('internal') })).toEqual(['hook-failed']);
  });

  it('have ids that Temporal takes as part of a workflow id', () => {
    expect(Object.keys(EVENT_KINDS).join('')).toMatch(/^[a-z-]+$/);
  });
});
