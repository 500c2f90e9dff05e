import { setTimeout as sleep } from 'node:timers/promises';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { readMigrationInfo } from '../../src/drivers/qemu/read-qemu-state.js';
import { connectQmp } from '../../src/drivers/qmp/connect-qmp.js';
import type { QmpConnection, QmpEvent } from '../../src/drivers/qmp/qmp-connection.js';

/** What two observer sockets tell about one migration; all of it by QEMU's own time stamps, and both nodes share one clock. */
export interface SwitchTimes {
  /** STOP on the source to RESUME on the target. */
  readonly blackoutMs: number;
  /** `migrate` taken up (status `setup`) to RESUME on the target. */
  readonly totalMs: number;
  /** Of the first RAM pass; null when the stream ended before the counters could be read. */
  readonly firstPassBytesPerSecond: number | null;
}

export interface ObservedSockets {
  /** Observer sockets, as the host sees them; the target's may not exist yet. */
  readonly source: string;
  readonly target: string;
  readonly timeoutMs: number;
}

/** A measurement that has begun: the source is watched. */
export interface Observation {
  /** Resolves when RAM is being sent. */
  readonly streaming: Promise<unknown>;
  /** Settles when the target runs. */
  readonly times: Promise<SwitchTimes>;
}

/** Watches one migration from outside, the same way for whoever drives it. Resolves once the source is watched: then start it. */
export async function observeSwitch({ source, target, timeoutMs }: ObservedSockets): Promise<Observation> {
  const deadline = performance.now() + timeoutMs;
  const sourceQmp = await connectQmp(source);
  const after = sourceQmp.lastSequence;
  const pass = firstPass(sourceQmp);
  const streaming = sourceQmp.waitForEvent(isStatus('active'), { after, timeoutMs });
  const times = measure();
  // Awaited by the caller later; a failure before that must not end the process.
  for (const pending of [streaming, times]) pending.catch(() => undefined);
  return { streaming, times };

  async function measure(): Promise<SwitchTimes> {
    const targetQmp = await connectWhenThere(target, deadline);
    try {
      const resume = await targetQmp.waitForEvent(isNamed('RESUME'), { after: 0, timeoutMs: Math.max(1, deadline - performance.now()) });
      const setup = await sourceQmp.waitForEvent(isStatus('setup'), { after, timeoutMs: 1_000 });
      const stop = await sourceQmp.waitForEvent(isNamed('STOP'), { after, timeoutMs: 1_000 });
      return { blackoutMs: resume.timestampMs - stop.timestampMs, totalMs: resume.timestampMs - setup.timestampMs, firstPassBytesPerSecond: await pass };
    } finally {
      sourceQmp.close();
      targetQmp.close();
    }
  }
}

/** The second pass begins where the first ends: its event is the moment to read the counters. */
function firstPass(qmp: QmpConnection): Promise<number | null> {
  return new Promise((resolve) => {
    let began: number | null = null;
    const end = qmp.onEvent((event) => {
      if (isStatus('active')(event)) began = event.timestampMs;
      if (event.name !== 'MIGRATION_PASS' || event.data['pass'] !== 2 || began === null) return;
      end();
      const seconds = (event.timestampMs - began) / 1_000;
      readMigrationInfo(qmp).then(
        ({ ram }) => resolve(ram === null ? null : ram.transferred / seconds),
        () => resolve(null),
      );
    });
    void qmp.closed.then(() => resolve(null));
  });
}

const isNamed =
  (name: string) =>
  (event: QmpEvent): boolean =>
    event.name === name;

const isStatus =
  (status: string) =>
  (event: QmpEvent): boolean =>
    event.name === 'MIGRATION' && event.data['status'] === status;

async function connectWhenThere(socket: string, deadline: number): Promise<QmpConnection> {
  for (;;) {
    try {
      return await connectQmp(socket);
    } catch (error) {
      if (performance.now() >= deadline) throw new KedgeError('lab-failed', `Cannot watch the target: nothing answers at ${socket}`, { cause: error });
      await sleep(5);
    }
  }
}
