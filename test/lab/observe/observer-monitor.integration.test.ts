import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ObserverMonitor } from '../../../lab/observe/observer-monitor.js';

/** Milliseconds since the epoch of the events below; the monitor takes them as they are. */
const NOW_MS = Date.now();

let folder: string;
let server: Server;
let qemu: Socket;
let asked: string;
let monitor: ObserverMonitor;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-observer-'));
  asked = '';
  const socketPath = join(folder, 'observer.qmp');
  server = createServer((socket) => {
    qemu = socket;
    socket.on('data', (data) => {
      asked += data.toString();
    });
    say({ QMP: {} });
  });
  await new Promise<void>((resolve) => {
    server.listen(socketPath, resolve);
  });
  monitor = new ObserverMonitor(socketPath);
  await vi.waitUntil(() => monitor.isReady);
});

afterEach(() => {
  monitor.close();
  server.close();
  rmSync(folder, { recursive: true });
});

function say(message: Readonly<Record<string, unknown>>): void {
  qemu.write(`${JSON.stringify(message)}\n`);
}

function event(name: 'RESUME' | 'STOP', afterMs: number): void {
  const atMs = NOW_MS + afterMs;
  say({ event: name, timestamp: { seconds: Math.floor(atMs / 1_000), microseconds: (atMs % 1_000) * 1_000 } });
}

function answer(running: boolean): void {
  say({ id: 'poll', return: { running } });
}

/** Asks, and waits until the question is there. */
async function poll(): Promise<void> {
  asked = '';
  monitor.poll();
  await vi.waitUntil(() => asked.includes('query-status'));
}

/** Waits until all that was said has been taken: a stream keeps its order. */
async function taken(): Promise<void> {
  const { length } = monitor.migrationStatuses;
  say({ event: 'MIGRATION', data: { status: 'active' } });
  await vi.waitUntil(() => monitor.migrationStatuses.length > length);
}

test('a guest that runs when it is first asked about ran from the question on', async () => {
  const before = Date.now();
  await poll();
  answer(true);
  await vi.waitUntil(() => monitor.isRunning);
  expect(monitor.spans[0]?.fromMs).toBeGreaterThanOrEqual(before);
  expect(monitor.spans[0]?.fromMs).toBeLessThanOrEqual(Date.now());
});

test('an answer that a stop has overtaken makes no second run of it', async () => {
  event('RESUME', 0);
  await vi.waitUntil(() => monitor.isRunning);
  await poll();
  event('STOP', 40);
  answer(true);
  await taken();
  expect(monitor.spans).toEqual([{ fromMs: NOW_MS, toMs: NOW_MS + 40 }]);
});

test('an answer that a start has overtaken does not end it', async () => {
  await poll();
  event('RESUME', 0);
  answer(false);
  await taken();
  expect(monitor.spans).toEqual([{ fromMs: NOW_MS, toMs: null }]);
});

test('the next answer corrects what no event has told', async () => {
  await poll();
  event('STOP', 0);
  answer(true);
  await taken();
  expect(monitor.isRunning).toBe(false);
  await poll();
  answer(true);
  await vi.waitUntil(() => monitor.isRunning);
  await poll();
  answer(false);
  await vi.waitUntil(() => !monitor.isRunning);
  expect(monitor.spans).toHaveLength(1);
});
