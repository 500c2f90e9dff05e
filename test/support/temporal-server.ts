/** A real Temporal server for tests: its own port and database file, the flags that Kedge runs it with, gone after `stop`. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Connection } from '@temporalio/client';
import { retryConnect } from '../../src/client/retry-connect.js';

export interface TestServer {
  readonly address: string;
  stop(): Promise<void>;
}

/** Flags from docs/performance.md: without them every task hop costs 50 ms. */
const TUNED = [
  '--sqlite-pragma=journal_mode=WAL',
  '--sqlite-pragma=synchronous=FULL',
  '--dynamic-config-value=history.transferProcessorMaxPollRPS=2000',
  '--dynamic-config-value=history.timerProcessorMaxPollRPS=2000',
  '--dynamic-config-value=history.visibilityProcessorMaxPollRPS=2000',
  '--dynamic-config-value=history.timerProcessorMaxTimeShift="20ms"',
  '--dynamic-config-value=matching.numTaskqueueReadPartitions=1',
  '--dynamic-config-value=matching.numTaskqueueWritePartitions=1',
];

/** Starts a server and waits until it answers. */
export async function startTemporalServer({ flags = [] }: { flags?: readonly string[] } = {}): Promise<TestServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-temporal-'));
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const server = spawn(
    temporalProgram(),
    [
      'server',
      'start-dev',
      '--headless',
      '--ip=127.0.0.1',
      `--port=${port}`,
      `--db-filename=${join(folder, 'temporal.db')}`,
      '--log-level=error',
      ...TUNED,
      ...flags,
    ],
    { stdio: 'ignore' },
  );
  try {
    const connection = await retryConnect(() => Connection.connect({ address, connectTimeout: 1_000 }), { address, giveUpAfterMs: 60_000 });
    await connection.close();
  } catch (error) {
    await stop(server, folder);
    throw error;
  }
  return { address, stop: () => stop(server, folder) };
}

/** TEMPORAL_CLI_PATH, the set-up's cache, else the one on PATH. */
function temporalProgram(): string {
  const cached = fileURLToPath(new URL('../../.cache/bin/temporal', import.meta.url));
  return process.env['TEMPORAL_CLI_PATH'] ?? (existsSync(cached) ? cached : 'temporal');
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port was given');
  return address.port;
}

async function stop(server: ChildProcess, folder: string): Promise<void> {
  if (server.exitCode === null && server.signalCode === null) {
    const ended = once(server, 'exit');
    server.kill('SIGKILL');
    await ended;
  }
  rmSync(folder, { recursive: true, force: true });
}
