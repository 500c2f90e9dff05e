/**
 * Loaded into the workers of a soak before their own code: who connects to the socket of a process has its garbage collected, and reads
 * what memory it holds then. Between two collections memory grows in any process of Node.js; only what is left after one can be a leak.
 */
import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { isMainThread } from 'node:worker_threads';
import { collectSocket } from './collected-memory.js';

// Only here, and not as an argument: NODE_OPTIONS takes no --expose-gc.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

if (isMainThread) {
  const path = collectSocket(process.pid);
  mkdirSync(dirname(path), { recursive: true });
  createServer((socket) => {
    // Twice: what a finalizer of the first lets go is taken by the second.
    collect();
    collect();
    const { rss, heapUsed } = process.memoryUsage();
    socket.end(JSON.stringify({ residentBytes: rss, heapBytes: heapUsed }));
  })
    .listen(path)
    .unref();
}
