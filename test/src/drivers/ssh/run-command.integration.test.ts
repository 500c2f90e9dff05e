/** The command that ssh would run at its other end, run by a shell here. */
import { expect, test } from 'vitest';
import { runRemoteCommand } from '../../../../src/drivers/ssh/run-command.js';

const run = (command: string, timeoutMs = 20_000) => runRemoteCommand({ ssh: ['sh', '-c'], command, timeoutMs });

test('a command that is over in time is told of with its exit code and what it printed', async () => {
  expect(await run('echo said; exit 7')).toEqual({ exitCode: 7, timedOut: false, output: 'said\n' });
});

test.each([
  ['exit 124', 124],
  ['kill -KILL $$', 137],
])('a command that ends by itself as if it had taken too long has not: %s', async (command, exitCode) => {
  expect(await run(command)).toMatchObject({ exitCode, timedOut: false });
});

test('a command that takes too long is ended and told so', async () => {
  expect(await run('exec sleep 60', 1_000)).toMatchObject({ timedOut: true });
});
