import { expect, test } from 'vitest';
import type { EvacuateNodeInput } from '../../../../../src/domain/evacuation.js';
import { runFake } from '../../fake-cluster.js';
import { ended } from '../../stories.js';

/** What the command line starts. */
async function startedBy(...argv: readonly string[]): Promise<readonly [plan: string, input: EvacuateNodeInput][]> {
  const started: [string, EvacuateNodeInput][] = [];
  const startEvacuation = (plan: string, input: EvacuateNodeInput) => {
    started.push([plan, input]);
    return Promise.resolve({ workflowId: 'evacuation-node2', firstRunId: 'run' });
  };
  await runFake([...argv, '--detach'], { cluster: { startEvacuation, migrationDefaults: { type: 'insecure' } } });
  return started;
}

test.for([
  ['drain', 'evacuate'],
  ['undrain', 'restore'],
] as const)('kedge node %s passes on what is typed: times, policies, blackouts', async ([verb, plan]) => {
  const times = ['--until', '2026-03-01T04:00:00Z', '--wait-until', '2026-03-01T03:00:00Z'];
  expect(await startedBy('node', verb, 'node2', '--parallel', '3', ...times, '--force', 'offline', '--ignore-blackout')).toMatchObject([
    [
      plan,
      {
        node: 'node2',
        parallel: 3,
        until: '2026-03-01T04:00:00.000Z',
        waitUntil: '2026-03-01T03:00:00.000Z',
        force: 'offline',
        options: { type: 'insecure', ignoreBlackout: true },
      },
    ],
  ]);
});

test('kedge node drain and kedge migrate take a priority', async () => {
  expect(await startedBy('node', 'drain', 'node2', '--priority', 'failure')).toMatchObject([['evacuate', { priority: 'failure' }]]);
  expect((await startedBy('node', 'drain', 'node2'))[0]?.[1].priority).toBeUndefined();
  const inputs: unknown[] = [];
  const startMigration = (input: unknown) => {
    inputs.push(input);
    return Promise.resolve(ended().ref);
  };
  const { exitCode } = await runFake(['migrate', '101', 'node2', '--priority', 'failure', '--detach'], { cluster: { startMigration } });
  expect([exitCode, inputs]).toMatchObject([0, [{ priority: 'failure' }]]);
  expect((await runFake(['migrate', '101', 'node2', '--priority', 'best'])).exitCode).toBe(2);
});
