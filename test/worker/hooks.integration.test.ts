import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { createLogger } from '../../src/log/logger.js';
import { hooksConfigSchema, type HooksConfig } from '../../src/schema/hooks-config.js';
import { watchEvents } from '../../worker/watch-events.js';
import { NODE, startTestCluster, type TestCluster } from '../support/test-cluster.js';

const SECRET = 'a-secret-of-the-test';
const folder = mkdtempSync(join(tmpdir(), 'kedge-hooks-'));
const taken: string[] = [];
let refusals = 2;
/** kedge.yaml is being edited when the first event is to be told. */
let halfWritten = 1;
const receiver = createServer((request, response) => {
  request.resume();
  refusals -= 1;
  if (refusals < 0) taken.push(String(request.headers['webhook-id']));
  response.writeHead(refusals < 0 ? 200 : 503).end();
});
let cluster: TestCluster;
let hooks: HooksConfig = {};
const watch = () =>
  watchEvents(cluster.kedge, { hooks: () => Promise.resolve({ cluster: 'test', hooks }), log: createLogger({ level: 'fatal' }), everyMs: 200 });

beforeAll(async () => {
  await once(receiver.listen(0, '127.0.0.1'), 'listening');
  const address = receiver.address();
  const port = typeof address === 'object' ? address?.port : 0;
  writeFileSync(join(folder, 'secret'), SECRET, { mode: 0o600 });
  const pager = { type: 'webhook', url: `http://127.0.0.1:${String(port)}/`, secretFile: join(folder, 'secret'), events: ['note'] };
  hooks = hooksConfigSchema.parse({ pager });
  cluster = await startTestCluster({
    hooks: () => ((halfWritten -= 1) < 0 ? Promise.resolve({ cluster: 'test', hooks }) : Promise.reject(new KedgeError('bad-config', 'half of a line'))),
  });
});
afterAll(async () => {
  await cluster.stop();
  receiver.close();
  rmSync(folder, { recursive: true });
});

describe.runIf(process.getuid?.() === 0)('a hook', () => {
  it('is told of what happens since it is known, once by several control workers, though kedge.yaml can not be read at first and the receiver refuses twice', async () => {
    await cluster.kedge.registerNode({ node: NODE, bootId: 'before' });
    await cluster.kedge.hooks.knownSince('pager');
    const stops = [watch(), watch()];
    await cluster.kedge.cordonNode(NODE, true);
    await expect.poll(() => taken, { timeout: 30_000 }).toHaveLength(1);
    for (const stop of stops) stop();
    expect(taken[0]).toContain('node-node1.node-cordoned.');
  });

  it('is told afterwards of what happened while no control worker was there, and of nothing twice', async () => {
    await cluster.kedge.cordonNode(NODE, false);
    const stop = watch();
    await expect.poll(() => taken, { timeout: 30_000 }).toHaveLength(2);
    stop();
    expect(taken[1]).toContain('node-node1.node-uncordoned.');
  });

  it('can be tested, and answers why it does not take it', async () => {
    expect(await cluster.kedge.hooks.test('pager', 'tester')).toEqual({ answer: '200 OK' });
    refusals = 1;
    await expect(cluster.kedge.hooks.test('pager', 'tester')).rejects.toMatchObject({ code: 'hook-failed', message: expect.stringContaining('503') });
    await expect(cluster.kedge.hooks.test('nobody', 'tester')).rejects.toThrow('has no such hook, it has pager');
  });

  it('leaves its secret in no history', async () => {
    const client = new Client({ connection: cluster.connected.connection });
    const histories: string[] = [];
    for await (const { workflowId, runId } of client.workflow.list({ query: `WorkflowType = 'deliverEvent'` })) {
      const { events } = await client.workflow.getHandle(workflowId, runId).fetchHistory();
      for (const event of events ?? []) histories.push(JSON.stringify(event), ...texts(event));
    }
    expect(histories.length).toBeGreaterThan(20);
    expect(histories.join('\n')).toContain('pager');
    expect(histories.join('\n')).not.toContain(SECRET);
  });
});

/** Payloads are bytes. */
function texts(value: unknown): readonly string[] {
  if (value instanceof Uint8Array) return [Buffer.from(value).toString()];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(texts) : [];
}
