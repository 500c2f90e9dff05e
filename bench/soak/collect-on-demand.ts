/**
 * Loaded into the workers of a soak before their own code: who connects to the socket of a process has its garbage collected, and reads
 * what memory it holds then. Between two collections memory grows in any process of Node.js; only what is left after one can be a leak.
 */
import { mkdirSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { type CollectedMemory, collectSocket } from './collected-memory.js';

if (isMainThread) {
  const session = new Session();
  session.connect();
  const path = collectSocket(process.pid);
  mkdirSync(dirname(path), { recursive: true });
  createServer((socket) => {
    session
      .post('HeapProfiler.collectGarbage')
      .then(() => {
        const { rss, heapUsed } = process.memoryUsage();
        socket.end(JSON.stringify({ residentBytes: rss, heapBytes: heapUsed } satisfies CollectedMemory));
      })
      .catch((error: unknown) => socket.destroy(error instanceof Error ? error : new Error(String(error))));
  })
    .listen(path)
    .unref();
}
