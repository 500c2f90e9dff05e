import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectKedge } from '../../../src/client/connect-kedge.js';
import type { KedgeClient } from '../../../src/client/kedge-client.js';
import { startTemporalServer, type TestServer } from '../../support/temporal-server.js';

let server: TestServer;
let kedge: KedgeClient;
beforeAll(async () => {
  server = await startTemporalServer();
  kedge = await connectKedge({ address: server.address, namespace: 'default', nodes: [] });
});
afterAll(async () => {
  await kedge.close();
  await server.stop();
});

test('a test of a hook that no control worker takes up says so', async () => {
  const failure = { code: 'hook-failed', message: 'Cannot test hook pager: no control worker has told it within 1.0 s; check that one runs' };
  await expect(kedge.hooks.test('pager', 'tester', { longestMs: 1_000 })).rejects.toMatchObject(failure);
});
