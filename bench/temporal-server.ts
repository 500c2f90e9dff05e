import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { temporalProgram } from '../lab/temporal-program.js';
import { KedgeError } from '../src/domain/kedge-error.js';

/** A Temporal server on a temporary file, tuned and durable like the lab's. */
export interface BenchServer {
  readonly address: string;
  readonly pid: number;
  /** Where its database is. */
  readonly folder: string;
  stop(): Promise<void>;
}

/** As in lab/node-init.sh: what is measured here is what runs there. */
const TUNING = [
  ...['journal_mode=WAL', 'synchronous=FULL'].flatMap((pragma) => ['--sqlite-pragma', pragma]),
  ...[
    'history.transferProcessorMaxPollRPS=2000',
    'history.timerProcessorMaxPollRPS=2000',
    // A retry otherwise waits up to a second for the timer queue to look again.
    'history.timerProcessorMaxTimeShift="20ms"',
    'history.visibilityProcessorMaxPollRPS=2000',
    'matching.numTaskqueueReadPartitions=1',
    'matching.numTaskqueueWritePartitions=1',
  ].flatMap((value) => ['--dynamic-config-value', value]),
];

/** Starts the server on a free port of the loopback interface; it answers a moment later, clients retry. `settings`: of its dynamic configuration, besides. */
export async function startTemporalServer(settings: readonly string[] = []): Promise<BenchServer> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-bench-'));
  const port = await freePort();
  const args = [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--db-filename',
    join(folder, 'temporal.db'),
    '--log-level',
    'error',
    ...TUNING,
    ...settings.flatMap((value) => ['--dynamic-config-value', value]),
  ];
  const child = spawn(temporalProgram(), args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  process.once('exit', () => {
    child.kill('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
  });
  // A signal ends a process without that event.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  if (child.pid === undefined) throw new KedgeError('internal', 'Cannot start the Temporal server: the program does not run');
  return {
    address: `127.0.0.1:${port}`,
    pid: child.pid,
    folder,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => {
        if (address === null || typeof address === 'string') reject(new KedgeError('internal', 'Cannot find a free port on the loopback interface'));
        else resolve(address.port);
      });
    });
  });
}
