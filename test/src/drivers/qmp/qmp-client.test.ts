import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectQmp } from '../../../../src/drivers/qmp/connect-qmp.js';
import { startFakeQmp, type FakeQmp, type FakeQmpOptions } from '../../../../src/drivers/qmp/fake.js';
import type { QmpConnection } from '../../../../src/drivers/qmp/qmp-connection.js';

let folder: string;
let fake: FakeQmp;
let qmp: QmpConnection;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-qmp-'));
});
afterEach(async () => {
  await fake.close();
  rmSync(folder, { recursive: true });
});

async function serve(options: Partial<FakeQmpOptions> = {}): Promise<string> {
  const socketPath = join(folder, 'qmp');
  fake = await startFakeQmp({ socketPath, mode: 'step', ...options });
  return socketPath;
}

async function connect(options: Partial<FakeQmpOptions> = {}): Promise<void> {
  qmp = await connectQmp(await serve(options));
}

describe('connecting', () => {
  it('is refused as busy when no greeting comes', async () => {
    const socketPath = await serve({ greeting: 'silent' });
    await expect(connectQmp(socketPath, { greetingTimeoutMs: 30 })).rejects.toMatchObject({ code: 'qmp-busy' });
  });

  it('is refused as busy while another client is attached, and succeeds after it left', async () => {
    const socketPath = await serve();
    const first = await connectQmp(socketPath);
    await expect(connectQmp(socketPath, { greetingTimeoutMs: 30 })).rejects.toMatchObject({ code: 'qmp-busy' });
    first.close();
    await first.closed;
    await expect.poll(async () => (await connectQmp(socketPath, { greetingTimeoutMs: 30 })).isClosed).toBe(false);
  });

  it('fails as disconnected when QEMU hangs up instead of greeting', async () => {
    const socketPath = await serve({ greeting: 'hang-up' });
    await expect(connectQmp(socketPath)).rejects.toMatchObject({ code: 'qmp-disconnected' });
  });

  it('fails as disconnected when nobody listens', async () => {
    await serve();
    await expect(connectQmp(join(folder, 'nobody'))).rejects.toMatchObject({ code: 'qmp-disconnected' });
  });
});

describe('commands', () => {
  it('answer what QEMU returned', async () => {
    await connect({ mode: 'auto', answers: { 'query-status': () => ({ status: 'running' }) } });
    await expect(qmp.execute('query-status')).resolves.toEqual({ status: 'running' });
  });

  it('go out one by one, in the order of the calls', async () => {
    await connect();
    const answers = Promise.all([qmp.execute('one'), qmp.execute('two')]);
    const first = await fake.nextRequest();
    expect(fake.requests.map(({ command }) => command)).toEqual(['one']);
    first.answer(1);
    (await fake.nextRequest()).answer(2);
    await expect(answers).resolves.toEqual([1, 2]);
  });

  it('out of band overtake one that hangs', async () => {
    await connect();
    const hanging = qmp.execute('query-status');
    const hangingRequest = await fake.nextRequest();
    const yank = qmp.executeOutOfBand('yank', { instances: [] });
    const request = await fake.nextRequest();
    expect(request).toMatchObject({ command: 'yank', outOfBand: true, args: { instances: [] } });
    request.answer();
    await yank;
    hangingRequest.answer('late');
    await expect(hanging).resolves.toBe('late');
  });

  it('that QEMU refuses fail with class, text and name, and the next one goes out', async () => {
    await connect();
    const refused = qmp.execute('cont');
    (await fake.nextRequest()).refuse({ class: 'GenericError', desc: 'not now' });
    await expect(refused).rejects.toMatchObject({ code: 'qmp-error', details: { class: 'GenericError', desc: 'not now', command: 'cont' } });
    const next = qmp.execute('stop');
    (await fake.nextRequest()).answer();
    await expect(next).resolves.toEqual({});
  });

  it('are told of an error without id when only one is out', async () => {
    await connect();
    const refused = qmp.execute('cont');
    (await fake.nextRequest()).refuseWithoutId();
    await expect(refused).rejects.toMatchObject({ code: 'qmp-error' });
  });

  it('ignore answers to ids that nobody waits for', async () => {
    await connect();
    fake.sendRaw('{"return": {}, "id": "stranger"}\r\n{"what": "is this"}\r\n');
    const answer = qmp.execute('query-status');
    (await fake.nextRequest()).answer('ours');
    await expect(answer).resolves.toBe('ours');
  });

  it('that time out drop the connection, since they may have run', async () => {
    await connect();
    const slow = qmp.execute('migrate', {}, { timeoutMs: 20 });
    const queued = qmp.execute('query-status');
    await Promise.all([
      expect(slow).rejects.toMatchObject({ code: 'qmp-timeout', details: { command: 'migrate', sent: true } }),
      expect(queued).rejects.toMatchObject({ code: 'qmp-disconnected', details: { command: 'query-status', sent: false } }),
    ]);
    await qmp.closed;
    expect(qmp.isClosed).toBe(true);
    await expect(qmp.execute('query-status')).rejects.toMatchObject({ code: 'qmp-disconnected', details: { sent: false } });
  });

  it('that are given up before they went out are taken back', async () => {
    await connect();
    const first = qmp.execute('one');
    const controller = new AbortController();
    const second = qmp.execute('two', {}, { signal: controller.signal });
    controller.abort();
    await expect(second).rejects.toMatchObject({ code: 'cancelled', details: { sent: false } });
    (await fake.nextRequest()).answer();
    await first;
    expect(qmp.isClosed).toBe(false);
    expect(fake.requests.map(({ command }) => command)).toEqual(['one']);
  });

  it('that are given up while they run drop the connection', async () => {
    await connect();
    const controller = new AbortController();
    const running = qmp.execute('one', {}, { signal: controller.signal });
    await fake.nextRequest();
    controller.abort();
    await expect(running).rejects.toMatchObject({ code: 'cancelled', details: { sent: true } });
    expect(qmp.isClosed).toBe(true);
  });

  it('fail as disconnected when QEMU dies before the answer', async () => {
    await connect();
    const lost = qmp.execute('migrate-continue');
    (await fake.nextRequest()).drop();
    await expect(lost).rejects.toMatchObject({ code: 'qmp-disconnected', details: { command: 'migrate-continue', sent: true } });
  });

  it('take the end of the connection as success of quit', async () => {
    await connect();
    const quit = qmp.execute('quit');
    (await fake.nextRequest()).drop();
    await expect(quit).resolves.toEqual({});
  });

  it('do not take our own close as success of quit', async () => {
    await connect();
    const quit = qmp.execute('quit');
    await fake.nextRequest();
    qmp.close();
    await expect(quit).rejects.toMatchObject({ code: 'qmp-disconnected' });
  });

  it('larger than the socket takes at once arrive whole', async () => {
    await connect({ mode: 'auto' });
    const text = 'x'.repeat(900_000);
    await Promise.all([qmp.executeOutOfBand('a', { text }), qmp.executeOutOfBand('b', { text }), qmp.execute('c', { text })]);
    expect(fake.requests.map(({ args }) => args)).toEqual([{ text }, { text }, { text }]);
  });
});

describe('lines', () => {
  it('of QEMU may come in pieces', async () => {
    await connect();
    const answer = qmp.execute('query-name');
    await fake.nextRequest();
    fake.sendRaw('{"return": {"name"');
    fake.sendRaw(': "web"}, "id": "k2"}\r');
    fake.sendRaw('\n');
    await expect(answer).resolves.toEqual({ name: 'web' });
  });

  it('that are no JSON end the connection', async () => {
    await connect();
    fake.sendRaw('what?\r\n');
    await qmp.closed;
  });

  it('over 16 MiB end the connection', async () => {
    await connect();
    fake.sendRaw(Buffer.alloc(17 * 1_024 * 1_024, 'x'));
    await qmp.closed;
  });
});

describe('events', () => {
  const burst = (count: number): void => {
    for (let number = 1; number <= count; number += 1) fake.emit('MIGRATION_PASS', { pass: number });
  };
  const isPass =
    (pass: number) =>
    (event: { data: Readonly<Record<string, unknown>> }): boolean =>
      event.data['pass'] === pass;

  it('are numbered from 1 in order of arrival', async () => {
    await connect();
    expect(qmp.lastSequence).toBe(0);
    burst(3);
    await qmp.waitForEvent(isPass(3), { after: 0, timeoutMs: 1_000 });
    expect(qmp.eventsSince(1).map(({ sequence, data }) => [sequence, data['pass']])).toEqual([
      [2, 2],
      [3, 3],
    ]);
  });

  it('that came before the wait are found', async () => {
    await connect();
    const before = qmp.lastSequence;
    const command = qmp.execute('migrate');
    const request = await fake.nextRequest();
    fake.emit('STOP');
    request.answer();
    await command;
    await expect(qmp.waitForEvent(({ name }) => name === 'STOP', { after: before, timeoutMs: 1 })).resolves.toMatchObject({ sequence: 1 });
  });

  it('of an earlier attempt do not count', async () => {
    await connect();
    fake.emit('STOP');
    await qmp.waitForEvent(() => true, { after: 0, timeoutMs: 1_000 });
    await expect(qmp.waitForEvent(() => true, { after: qmp.lastSequence, timeoutMs: 20 })).rejects.toMatchObject({ code: 'qmp-timeout' });
    expect(qmp.isClosed).toBe(false);
  });

  it('older than the newest thousand are forgotten', async () => {
    await connect();
    burst(1_500);
    await qmp.waitForEvent(isPass(1_500), { after: 0, timeoutMs: 5_000 });
    expect(qmp.eventsSince(0)).toHaveLength(1_000);
    expect(qmp.eventsSince(0)[0]).toMatchObject({ sequence: 501 });
  });

  it('reach every listener until it leaves', async () => {
    await connect();
    const heard: string[] = [];
    const leave = qmp.onEvent(({ name }) => void heard.push(name));
    fake.emit('STOP');
    await qmp.waitForEvent(() => true, { after: 0, timeoutMs: 1_000 });
    leave();
    fake.emit('RESUME');
    await qmp.waitForEvent(({ name }) => name === 'RESUME', { after: 0, timeoutMs: 1_000 });
    expect(heard).toEqual(['STOP']);
  });

  it('that are awaited fail when the connection ends, and when the caller gives up', async () => {
    await connect();
    const controller = new AbortController();
    const given = qmp.waitForEvent(() => true, { after: 0, timeoutMs: 5_000, signal: controller.signal });
    const lost = qmp.waitForEvent(() => true, { after: 0, timeoutMs: 5_000 });
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: 'cancelled' });
    fake.hangUp();
    await expect(lost).rejects.toMatchObject({ code: 'qmp-disconnected' });
  });

  it('carry the clock of QEMU in milliseconds', async () => {
    await connect();
    fake.sendRaw('{"timestamp": {"seconds": 1700000000, "microseconds": 123456}, "event": "RESUME"}\r\n');
    await expect(qmp.waitForEvent(() => true, { after: 0, timeoutMs: 1_000 })).resolves.toMatchObject({ timestampMs: 1_700_000_000_123.456, data: {} });
  });
});
