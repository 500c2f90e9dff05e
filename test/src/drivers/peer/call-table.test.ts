import { fc, it as property } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { parseGeneration, parseMigrationId, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { CallTable } from '../../../../src/drivers/peer/call-table.js';

const soon = { timeoutMs: 60_000 };
const vmid = parseVmid(101);

function table() {
  const sent: string[] = [];
  return { calls: new CallTable(parseNodeName('node2'), (line) => sent.push(line)), sent };
}

describe('CallTable', () => {
  it('numbers requests, and matches answers that come in another order', async () => {
    const { calls, sent } = table();
    const first = calls.call('probe', { payload: 'a' }, soon);
    const second = calls.call('settle', { vmid }, soon);
    expect(sent.map((line): unknown => JSON.parse(line))).toEqual([
      { id: 1, op: 'probe', deadlineMs: 60_000, args: { payload: 'a' } },
      { id: 2, op: 'settle', deadlineMs: 60_000, args: { vmid: 101 } },
    ]);
    calls.take('{"id":2,"ok":{"accepted":true}}');
    calls.take('{"id":1,"ok":{"bytes":1}}');
    expect(await Promise.all([first, second])).toEqual([{ bytes: 1 }, { accepted: true }]);
  });

  it('reads every kind of record that a node may answer', async () => {
    const claim = { migrationId: '101-2', peer: 'node1' };
    const base = { vmid: 101, kind: 'qemu', generation: 2, wanted: 'running', bootId: 'boot-2' };
    const records = [
      { ...base, state: 'owned' },
      { ...base, ...claim, state: 'owned' },
      { ...base, ...claim, state: 'armed' },
      { ...base, ...claim, state: 'revoked', ran: 'maybe' },
    ];
    for (const record of [...records.map((entry) => ({ kind: 'record', record: entry })), { kind: 'missing' }, { kind: 'unreadable', reason: 'cut off' }]) {
      const { calls } = table();
      const call = calls.call('observe', { vmid }, soon);
      const view = { node: 'node2', bootId: 'boot-2', record, qemu: 'gone' };
      calls.take(JSON.stringify({ id: 1, ok: view }));
      expect(await call).toEqual(view);
    }
  });

  it('treats an answer that does not fit the operation as no answer', async () => {
    const { calls } = table();
    const call = calls.call('arm', { vmid, migrationId: parseMigrationId('101-2').id, generation: parseGeneration(2) }, soon);
    calls.take('{"id":1,"ok":{"armed":"perhaps"}}');
    await expect(call).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: true } });
  });

  it('treats the deadline of the peer like its own', async () => {
    const { calls } = table();
    const call = calls.call('settle', { vmid }, soon);
    calls.take('{"id":1,"error":{"code":"deadline-exceeded","message":"settle took longer than 5 ms"}}');
    await expect(call).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: true } });
  });

  it('drops an answer that nobody waits for any more', async () => {
    const { calls } = table();
    await expect(calls.call('settle', { vmid }, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'peer-unreachable' });
    calls.take('{"id":1,"ok":{"accepted":true}}');
    calls.take('{"id":77,"error":{"code":"internal","message":"x"}}');
  });

  it('sends nothing for a call that was given up before', async () => {
    const { calls, sent } = table();
    await expect(calls.call('settle', { vmid }, { ...soon, signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'cancelled',
      details: { mayHaveRun: false },
    });
    expect(sent).toEqual([]);
  });

  it('refuses a request that the peer would refuse for its length', async () => {
    const { calls, sent } = table();
    await expect(calls.call('probe', { payload: 'x'.repeat(16 * 1024 * 1024) }, soon)).rejects.toMatchObject({ code: 'bad-input' });
    expect(sent).toEqual([]);
  });

  it('fails all calls under way when it breaks off, and keeps the first reason', async () => {
    const { calls } = table();
    const under = [calls.call('settle', { vmid }, soon), calls.call('probe', { payload: '' }, soon)];
    calls.breakOff(new KedgeError('peer-unreachable', 'the cable'));
    calls.breakOff(new KedgeError('internal', 'later'));
    for (const call of under) await expect(call).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: true } });
    await expect(calls.call('settle', { vmid }, soon)).rejects.toMatchObject({ code: 'peer-unreachable', details: { mayHaveRun: false } });
  });

  it.each([
    ['{"id":null,"error":{"code":"peer-unreachable","message":"its node worker does not answer"}}', 'peer-unreachable'],
    ['{"id":null,"error":{"code":"bad-input","message":"x"}}', 'peer-refused'],
    ['hello?', 'bad-input'],
    ['{"id":1}', 'peer-unreachable'],
  ])('ends the channel at %s', (line, code) => {
    expect(() => table().calls.take(line)).toThrow(expect.objectContaining({ code }));
  });

  property.prop([fc.oneof(fc.string(), fc.json())], { numRuns: 500 })('says nothing but KedgeError to noise', (line) => {
    try {
      table().calls.take(line);
    } catch (error) {
      expect(error).toBeInstanceOf(KedgeError);
    }
  });
});
