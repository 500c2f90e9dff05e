import { fc, it as property } from '@fast-check/vitest';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LINE_LIMIT_BYTES } from '../../../../src/drivers/peer/protocol.js';
import { type PeerServer, servePeers } from '../../../../src/drivers/peer/serve-peers.js';
import { sendRaw } from './send-raw.js';

/** Typed face of vitest's matcher, which is `any`. */
const containing = (text: string): unknown => expect.stringContaining(text);

const HELLO = '{"peer":"node1"}\n';
let folder: string;
let socketFile: string;
let server: PeerServer;
let handled = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-serve-'));
  socketFile = join(folder, 'peer.sock');
  // A socket that a killed worker left behind.
  await writeFile(socketFile, '');
  server = await servePeers({
    socketFile,
    handle: async (_from, request) => {
      handled++;
      if (request.op === 'probe') return { bytes: request.args.payload.length };
      if (request.op === 'go') throw new TypeError('a defect');
      // An answer of another operation: a defect that the server must not pass on.
      return { accepted: true };
    },
  });
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true });
});

const request = (id: number, op: string, args: unknown, deadlineMs = 1_000) => `${JSON.stringify({ id, op, deadlineMs, args })}\n`;
const probe = request(1, 'probe', { payload: 'abc' });

async function ask(bytes: string | Buffer): Promise<readonly unknown[]> {
  const answer = await sendRaw(socketFile, bytes);
  return answer
    .split('\n')
    .filter(Boolean)
    .map((line): unknown => JSON.parse(line));
}

describe('servePeers', () => {
  it('replaces an old socket and lets only root in', async () => {
    expect((await stat(socketFile)).mode & 0o777).toBe(0o600);
    expect(await ask(HELLO + probe)).toEqual([{ id: 1, ok: { bytes: 3 } }]);
  });

  it('wants to know first who asks', async () => {
    const before = handled;
    expect(await ask(probe)).toMatchObject([{ id: null, error: { code: 'bad-input', message: containing('introduction') } }]);
    expect(await ask('{"peer":"../etc"}\n')).toMatchObject([{ id: null, error: { code: 'bad-input' } }]);
    expect(handled).toBe(before);
  });

  it('answers an unknown operation and bad arguments by id, and goes on', async () => {
    const lines = [request(1, 'format', {}), request(2, 'go', { vmid: 7 }), request(3, 'toString', {}), request(4, 'probe', { payload: 'x' })];
    const answers = await ask(HELLO + lines.join(''));
    expect(answers).toMatchObject([
      { id: 1, error: { code: 'unsupported' } },
      { id: 2, error: { code: 'bad-input', message: containing('vmid') } },
      { id: 3, error: { code: 'unsupported' } },
      { id: 4, ok: { bytes: 1 } },
    ]);
  });

  it('answers internal when the handler throws what it should not, or answers what does not fit', async () => {
    const go = request(1, 'go', { vmid: 101, migrationId: '101-2', generation: 2 });
    expect(await ask(HELLO + go)).toMatchObject([{ id: 1, error: { code: 'internal', message: 'a defect' } }]);
    expect(await ask(HELLO + request(2, 'observe', { vmid: 101 }))).toMatchObject([{ id: 2, error: { code: 'internal' } }]);
  });

  it.each([
    ['garbage', 'GET / HTTP/1.1\n'],
    ['a list', '[]\n'],
    ['no id', '{"op":"probe","deadlineMs":1,"args":{}}\n'],
    ['an endless wait', '{"id":1,"op":"probe","deadlineMs":1e300,"args":{}}\n'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x0a])],
  ])('ends the connection at %s with one clear error', async (_what, bytes) => {
    expect(await ask(Buffer.concat([Buffer.from(HELLO), Buffer.from(bytes), Buffer.from(probe)]))).toMatchObject([{ id: null, error: { code: 'bad-input' } }]);
  });

  it('ends the connection at a line that is too long', async () => {
    const answers = await ask(Buffer.concat([Buffer.from(HELLO), Buffer.alloc(LINE_LIMIT_BYTES + 1, 'x')]));
    expect(answers).toMatchObject([{ id: null, error: { code: 'bad-input', message: containing('longer than') } }]);
  });

  property.prop([fc.string(), fc.nat(HELLO.length + probe.length)], { numRuns: 100 })(
    'survives any noise and any cut, and answers the next connection',
    async (noise, cut) => {
      await sendRaw(socketFile, (HELLO + probe).slice(0, cut) + noise);
      expect(await ask(HELLO + probe)).toEqual([{ id: 1, ok: { bytes: 3 } }]);
    },
  );

  property.prop([fc.json(), fc.constantFrom('hello', 'observe', 'arm', 'go', 'revoke', 'settle')], { numRuns: 100 })(
    'never gives bad arguments to the handler',
    async (args, op) => {
      const before = handled;
      const parsed: unknown = JSON.parse(args);
      fc.pre(typeof parsed !== 'object' || parsed === null || !('vmid' in parsed || 'version' in parsed));
      expect(await ask(HELLO + request(5, op, parsed))).toMatchObject([{ id: 5, error: { code: 'bad-input' } }]);
      expect(handled).toBe(before);
    },
  );
});

describe('the deadline of a request', () => {
  it('ends the wait of the caller, aborts the work, and is answered once', async () => {
    const slowSocket = join(folder, 'slow.sock');
    let aborted = false;
    const slow = await servePeers({
      socketFile: slowSocket,
      handle: (_from, _request, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            resolve({ accepted: true });
          });
        }),
    });
    const answer = await sendRaw(slowSocket, HELLO + request(1, 'settle', { vmid: 101 }, 20), { until: '\n' });
    expect(answer.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(answer)).toMatchObject({ id: 1, error: { code: 'deadline-exceeded' } });
    expect(aborted).toBe(true);
    await slow.close();
  });

  it('says storage-failed when the socket cannot be made', async () => {
    await expect(servePeers({ socketFile: join(folder, 'missing', 'peer.sock'), handle: async () => ({ accepted: true }) })).rejects.toMatchObject({
      code: 'storage-failed',
    });
  });
});
