/** A node is gone for good in the middle of a hand-over: what is asked, what is decided, and by whom. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { MigrationView } from '../../src/client/migration-view.js';
import type { NodeName } from '../../src/domain/ids.js';
import type { MigrationKind } from '../../src/domain/migration.js';
import type { NodeStatus } from '../../src/domain/node-facts.js';
import type { FenceOutcome } from '../../src/drivers/fence/fence-node.js';
import { SOURCE, TARGET } from '../support/fake-world.js';
import { assertExactlyOneRunner } from '../support/invariants.js';
import { bareStatus, BOTH_DEVICES, lostAfterReleased } from '../support/lost-side.js';
import { after } from '../support/outcomes.js';
import { startSagaHarness, type SagaHarness, type SagaRun } from '../support/saga-harness.js';

const SILENT_SINCE = '2026-01-01T00:00:10Z';
const WHO = 'alice@admin';

let harness: SagaHarness;
let silent: NodeName | null = null;
/** Null: no device is configured. */
let device: (() => FenceOutcome) | null = null;
let fenced: string[] = [];
let answer: 'open' | 'refused' | null = null;

const statusOf = (node: NodeName): NodeStatus => bareStatus(node, node === silent ? SILENT_SINCE : null);

beforeAll(async () => {
  harness = await startSagaHarness({
    nodes: [SOURCE, TARGET],
    nodeStatus: statusOf,
    probe: () => answer,
    fencing: {
      config: () => Promise.resolve(device === null ? null : BOTH_DEVICES),
      fence: ({ agent: name }) => {
        fenced.push(name);
        return Promise.resolve(device?.() ?? { off: false, reason: 'no device' });
      },
    },
  });
});
afterAll(() => harness.stop());
beforeEach(() => {
  silent = null;
  device = null;
  fenced = [];
  answer = null;
});

function begin(role: 'source' | 'target', kind: MigrationKind): Promise<SagaRun> {
  // A guest that moves live and whose source is lost holds the only runner's place until somebody decides.
  return harness.start({
    outcomes: lostAfterReleased(role, kind, (node) => (silent = node)),
    movement: kind,
    timings: { askOperatorAfterMs: 300, silentAfterMs: 500, stepTimeoutMs: 1_000 },
  });
}

const asked = (run: SagaRun): Promise<MigrationView> => run.seen(({ story }) => story?.question?.facts !== undefined);

describe.each(['live', 'restart'] as const)('a %s migration whose node is lost after "released"', { timeout: 20_000 }, (kind) => {
  test.each([
    ['target', SOURCE, TARGET],
    ['source', TARGET, SOURCE],
  ] as const)('parks, says what is known of the lost %s, and goes on at the other node once it is given up', async (role, left, lost) => {
    const run = await begin(role, kind);
    const { story } = await asked(run);
    expect(story?.phase).toBe('needs-operator');
    expect(story?.question?.facts?.join('\n')).toMatch(
      new RegExp(
        `${left} \\(the \\w+\\) answers[^]*${lost} \\(the ${role}\\): its heartbeats have been missing since ${SILENT_SINCE}[^]*could be running on ${lost}`,
      ),
    );
    expect(story?.question?.choices[`${role}-dead`]).toMatch(/RISK/);
    expect(story?.question?.choices[role === 'source' ? 'target-dead' : 'source-dead']).toBeUndefined();
    expect(run.world.voided).toEqual([]);

    await harness.kedge.decideMigration(run.ref, `${role}-dead`, WHO);
    const end = await run.ended();
    expect(run.world.voided).toEqual([expect.objectContaining({ takenBy: left, statedBy: WHO, basis: 'operator', below: role === 'source' ? 4 : 3 })]);
    expect(end.story?.warnings.join()).toContain(`${lost} was given up: ${WHO} stated that its power is off`);
    expect(end.status).toBe(role === 'source' ? 'completed' : 'failed');
    if (role === 'target') expect(end.failure?.code).toBe('rolled-back');
    expect(run.world.runners()).toEqual([left]);
    assertExactlyOneRunner(run.world);
  });

  test('decides by itself when the fencing device has cut the power', async () => {
    device = () => ({ off: true });
    const run = await begin('target', kind);
    const end = await run.ended();
    expect(fenced).toEqual([`/fence-${TARGET}`]);
    expect(run.world.voided).toEqual([expect.objectContaining({ basis: 'fenced', statedBy: `/fence-${TARGET}` })]);
    expect(end.failure?.code).toBe('rolled-back');
    expect(run.world.runners()).toEqual([SOURCE]);
    assertExactlyOneRunner(run.world);
  });

  test.each(['open', 'refused'] as const)('fences nobody who answers on any path (%s), and says so', async (found) => {
    device = () => ({ off: true });
    answer = found;
    const run = await begin('target', kind);
    const { story } = await asked(run);
    expect(story?.question?.facts?.join('\n')).toMatch(/node2 could not be fenced: [^]*gets a (connection to|refusal from) any of node2/);
    expect([fenced, run.world.voided]).toEqual([[], []]);
    await harness.kedge.decideMigration(run.ref, 'target-dead', WHO);
    await run.ended();
    assertExactlyOneRunner(run.world);
  });

  test('asks, and says why, when the device fails', async () => {
    device = () => ({ off: false, reason: 'the device is on fire' });
    const run = await begin('target', kind);
    const { story } = await asked(run);
    expect(story?.question?.facts?.join('\n')).toContain(`${TARGET} could not be fenced: the device is on fire`);
    expect(run.world.voided).toEqual([]);
    await harness.kedge.decideMigration(run.ref, 'target-dead', WHO);
    await run.ended();
    assertExactlyOneRunner(run.world);
  });

  test('believes no device whose node is heard afterwards', async () => {
    device = () => {
      silent = null;
      return { off: true };
    };
    const run = await begin('target', kind);
    const { story } = await asked(run);
    expect(story?.question?.facts?.join('\n')).toMatch(/could not be fenced: .*the device may be that of another machine/);
    expect(run.world.voided).toEqual([]);
    // Not offered: it is heard.
    await expect(harness.kedge.decideMigration(run.ref, 'target-dead', WHO)).rejects.toMatchObject({ code: 'guest-state' });
    run.world.lost = null;
    await run.ended();
    assertExactlyOneRunner(run.world);
  });

  test('refuses a statement about a node that has come back meanwhile, and goes on with it', async () => {
    const run = await begin('target', kind);
    await asked(run);
    silent = null;
    await harness.kedge.decideMigration(run.ref, 'target-dead', WHO);
    await run.seen(({ story }) => story?.question?.message.includes('so it is not off') === true);
    expect(run.world.voided).toEqual([]);
    run.world.lost = null;
    const end = await run.ended();
    expect(end.story?.outcome).toBe('migrated');
    assertExactlyOneRunner(run.world);
  });
});

test('a migration whose target is lost before any hand-over fences nobody for it: the guest runs on at its source, which owns it', {
  timeout: 20_000,
}, async () => {
  device = () => ({ off: true });
  const lose = after((world) => {
    world.lost = 'target';
    silent = TARGET;
  }, 'not-converging');
  const timings = { askOperatorAfterMs: 300, silentAfterMs: 500, stepTimeoutMs: 1_000, retryLongestMs: 100 };
  const run = await harness.start({ outcomes: { copyAndSwitchOver: lose }, timings });
  await asked(run);
  expect([fenced, run.world.voided, run.world.runners()]).toEqual([[], [], [SOURCE]]);
  run.world.lost = null;
  silent = null;
  await harness.kedge.decideMigration(run.ref, 'retry', WHO).catch(() => undefined);
  expect((await run.ended()).failure?.code).toBe('not-converging');
  assertExactlyOneRunner(run.world);
});
