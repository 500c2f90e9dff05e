/** What every process of the fleet but the first one does: it ends with the first one, whatever ended that. */
import { rmSync } from 'node:fs';
import { pino, type Logger } from 'pino';
import { connectWorker, type WorkerConnection } from '../../worker/temporal/connect-worker.js';
import { installRuntime } from '../../worker/temporal/install-runtime.js';
import { fleetNodes } from './fleet-guests.js';
import { parseChildStart, type ChildStart, type FromChild } from './fleet-messages.js';

export interface ChildSide {
  readonly start: ChildStart;
  readonly connected: WorkerConnection;
}

/** Connects; from here on the process ends when the first one is gone, and takes the server with it, which nobody else would end. */
export async function beginChild(): Promise<ChildSide> {
  const start = parseChildStart(process.argv[2]);
  process.once('disconnect', () => {
    endServer(start);
    process.exit(1);
  });
  const log: Logger = pino({ level: 'error' }, pino.destination(2));
  installRuntime({ log });
  const connected = await connectWorker({ address: start.address, namespace: 'default', nodes: fleetNodes(start) }, { log });
  return { start, connected };
}

/** Tells the first process. */
export function tell(message: FromChild): void {
  process.send?.(message);
}

/** Runs a process: what it throws reaches the first one before it ends. */
export async function runChild(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    tell({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    process.exitCode = 1;
  }
}

/** The first process ends the server itself, unless it was killed. */
function endServer({ serverPid, serverFolder }: ChildStart): void {
  try {
    process.kill(serverPid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
  rmSync(serverFolder, { recursive: true, force: true });
}
