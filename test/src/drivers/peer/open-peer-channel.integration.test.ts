import { execFileSync } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseGeneration, parseMigrationId, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { openPeerChannel } from '../../../../src/drivers/peer/open-peer-channel.js';
import type { PeerChannel } from '../../../../src/drivers/peer/peer-channel.js';
import type { PeerAnswer, PeerRequest } from '../../../../src/drivers/peer/protocol.js';
import { type PeerHandler, type PeerServer, servePeers } from '../../../../src/drivers/peer/serve-peers.js';
import { type PeerLab, startPeerLab } from './peer-lab.js';

/** Typed face of vitest's matcher, which is `any`. */
const containing = (text: string): unknown => expect.stringContaining(text);

const vmid = parseVmid(101);
const step = { vmid, migrationId: parseMigrationId('101-2').id, generation: parseGeneration(2) };
const soon = { timeoutMs: 5_000 };

let lab: PeerLab;
let server: PeerServer | undefined;
const channels: PeerChannel[] = [];

beforeEach(async () => {
  lab = await startPeerLab();
});
afterEach(async () => {
  for (const channel of channels.splice(0)) channel.close();
  await server?.close();
  server = undefined;
  await lab.remove();
});

async function serve(handle: PeerHandler): Promise<void> {
  server = await servePeers({ socketFile: lab.socketFile, handle });
}

async function open(change: Partial<PeerLab['target']> = {}): Promise<PeerChannel> {
  const channel = await openPeerChannel({ ...lab.target, ...change });
  channels.push(channel);
  return channel;
}

/** Answers probes; other requests fail with `stale-claim`. */
async function plainHandler(_from: string, request: PeerRequest): Promise<PeerAnswer> {
  if (request.op === 'probe') return { bytes: request.args.payload.length };
  throw new KedgeError('stale-claim', `Cannot ${request.op}: a newer attempt has taken over`, { details: { newer: 3 } });
}

/** A handler that never answers, and a promise of the first request that reaches it. */
function silentHandler() {
  const arrivals = new EventEmitter();
  const arrival = once(arrivals, 'request', { signal: AbortSignal.timeout(10_000) });
  const signals: AbortSignal[] = [];
  const handle: PeerHandler = (_from, _request, { signal }) => {
    signals.push(signal);
    arrivals.emit('request');
    return new Promise(() => undefined);
  };
  return { handle, arrival, aborted: () => signals[0]?.aborted };
}

describe('a peer channel', () => {
  it('carries a call and tells the worker who asks, by the key and not by the caller', async () => {
    let seen = '';
    await serve(async (from, request) => {
      seen = `${from} ${request.op}`;
      return { version: 1, node: parseNodeName('node2'), bootId: 'boot-2', clockMs: 12.5 };
    });
    const answer = await (await open()).call('hello', { version: 1, node: parseNodeName('node9') }, soon);
    expect(answer).toEqual({ version: 1, node: 'node2', bootId: 'boot-2', clockMs: 12.5 });
    expect(seen).toBe('node1 hello');
  });

  it('carries parallel calls, each answered when its own work ends', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await serve(async (from, request) => {
      if (request.op === 'settle') await held;
      return request.op === 'settle' ? { accepted: true } : plainHandler(from, request);
    });
    const channel = await open();
    const slow = channel.call('settle', { vmid }, soon);
    const fast = await Promise.all([3, 1, 2].map((length) => channel.call('probe', { payload: 'x'.repeat(length) }, soon)));
    expect(fast).toEqual([{ bytes: 3 }, { bytes: 1 }, { bytes: 2 }]);
    release();
    expect(await slow).toEqual({ accepted: true });
  });

  it('carries megabytes', async () => {
    await serve(plainHandler);
    expect(await (await open()).call('probe', { payload: 'x'.repeat(8 * 1024 * 1024) }, { timeoutMs: 20_000 })).toEqual({ bytes: 8 * 1024 * 1024 });
  });

  it('hands on the refusal of the peer with its code, message and details', async () => {
    await serve(plainHandler);
    await expect((await open()).call('go', step, soon)).rejects.toMatchObject({
      code: 'peer-refused',
      message: 'Cannot go on node node2: Cannot go: a newer attempt has taken over',
      details: { code: 'stale-claim', newer: 3, op: 'go', node: 'node2' },
    });
  });

  it('says peer-unreachable at the deadline, tells that it may have run, and stays usable', async () => {
    const { handle, aborted } = silentHandler();
    await serve(async (from, request, context) => (request.op === 'probe' ? plainHandler(from, request) : handle(from, request, context)));
    const channel = await open();
    await expect(channel.call('go', step, { timeoutMs: 100 })).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: true, op: 'go' } });
    expect(await channel.call('probe', { payload: 'x' }, soon)).toEqual({ bytes: 1 });
    await vi.waitFor(() => expect(aborted()).toBe(true));
  });

  it('gives up a call by its signal', async () => {
    const { handle, arrival } = silentHandler();
    await serve(handle);
    const controller = new AbortController();
    const call = (await open()).call('go', step, { ...soon, signal: controller.signal });
    await arrival;
    controller.abort();
    await expect(call).rejects.toMatchObject({ code: 'cancelled', details: { mayHaveRun: true } });
  });

  it('fails calls under way as peer-unreachable when the peer node dies, and later calls as not sent', async () => {
    const { handle, arrival } = silentHandler();
    await serve(handle);
    const channel = await open();
    const call = channel.call('go', step, soon);
    await arrival;
    const failure = expect(call).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: true, op: 'go' } });
    await lab.killSshd();
    await failure;
    await channel.closed;
    expect(channel.isClosed).toBe(true);
    await expect(channel.call('go', step, soon)).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: false } });
  });

  it('closes when the worker of the peer ends, and aborts what the worker was doing', async () => {
    const { handle, arrival, aborted } = silentHandler();
    await serve(handle);
    const channel = await open();
    const call = channel.call('go', step, soon);
    await arrival;
    const failure = expect(call).rejects.toMatchObject({ code: 'peer-unreachable' });
    await server?.close();
    await failure;
    await channel.closed;
    expect(aborted()).toBe(true);
  });

  it('waits for a worker that is just starting', async () => {
    const channel = await open();
    const call = channel.call('probe', { payload: 'x' }, soon);
    await serve(plainHandler);
    expect(await call).toEqual({ bytes: 1 });
  });

  it('says peer-unreachable when no worker comes', async () => {
    const channel = await open();
    await expect(channel.call('probe', { payload: 'x' }, { timeoutMs: 10_000 })).rejects.toMatchObject({
      code: 'peer-unreachable',
      message: containing('node worker does not answer'),
    });
  });
});

describe('openPeerChannel', () => {
  it('refuses a host that shows another key than the pinned one', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(lab.folder, 'other')]);
    const other = execFileSync('ssh-keygen', ['-y', '-f', join(lab.folder, 'other')], { encoding: 'utf8' });
    writeFileSync(lab.target.knownHostsFile, `node2 ${other}`);
    await expect(open()).rejects.toMatchObject({ code: 'peer-untrusted', details: { node: 'node2' } });
  });

  it('refuses a host that has no key of the pinned type', async () => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ecdsa', '-N', '', '-f', join(lab.folder, 'other')]);
    const other = execFileSync('ssh-keygen', ['-y', '-f', join(lab.folder, 'other')], { encoding: 'utf8' });
    writeFileSync(lab.target.knownHostsFile, `node2 ${other}`);
    await expect(open()).rejects.toMatchObject({ code: 'peer-untrusted' });
  });

  it('trusts a name, not an address: a node without a pinned key is refused before anything is sent', async () => {
    await expect(open({ node: parseNodeName('node3'), port: 1 })).rejects.toMatchObject({ code: 'peer-untrusted' });
  });

  it('says peer-refused when the peer does not accept our key', async () => {
    writeFileSync(join(lab.folder, 'authorized_keys'), '');
    await expect(open()).rejects.toMatchObject({ code: 'peer-refused', details: { code: 'authentication' } });
  });

  it('says peer-unreachable when nothing listens there', async () => {
    await lab.killSshd();
    await expect(open()).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: false } });
  });

  it('says bad-config when the key of this node is missing', async () => {
    await expect(open({ privateKeyFile: join(lab.folder, 'missing') })).rejects.toMatchObject({ code: 'bad-config' });
  });
});

describe('the control path', () => {
  it('answers in about a millisecond, as it must inside the blackout', async () => {
    await serve(plainHandler);
    const channel = await open();
    const times: number[] = [];
    for (let call = 0; call < 300; call++) {
      const started = performance.now();
      await channel.call('probe', { payload: 'x' }, soon);
      times.push(performance.now() - started);
    }
    times.sort((left, right) => left - right);
    const median = times[150] ?? Infinity;
    console.info(`round trip: median ${median.toFixed(2)} ms, p95 ${times[285]?.toFixed(2)} ms, max ${times[299]?.toFixed(2)} ms`);
    // Delayed acknowledgements would show as 40 ms; the bound leaves room for a busy machine.
    expect(median).toBeLessThan(10);
  });
});
