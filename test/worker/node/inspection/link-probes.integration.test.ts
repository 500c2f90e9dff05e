import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { LinkProbes } from '../../../../worker/node/inspection/link-probes.js';

const host = '127.0.0.1';
const newToken = (): string => randomBytes(16).toString('hex');
const end = (token: string) => ({ token, small: 0, large: 0, close: true });

describe('the probes of a node', () => {
  test('come in one at a time', async () => {
    const probes = new LinkProbes();
    const [first, second] = [newToken(), newToken()];
    await probes.open({ host, token: first, busy: false });
    const order: string[] = [];
    const waiting = probes.open({ host, token: second, busy: true }).then((opened) => {
      order.push('second opened');
      return opened;
    });
    await expect(probes.tally({ ...end(second), close: false })).rejects.toMatchObject({ code: 'not-found' });
    order.push('first closes');
    await probes.tally(end(first));
    expect(await waiting).toMatchObject({ host, busy: true });
    expect(order).toEqual(['first closes', 'second opened']);
    await probes.tally(end(second));
  });

  test('are not held up by one that can not be opened', async () => {
    const probes = new LinkProbes();
    await expect(probes.open({ host: '192.0.2.1', token: newToken(), busy: false })).rejects.toMatchObject({ code: 'peer-refused' });
    const token = newToken();
    await probes.open({ host, token, busy: false });
    await probes.tally(end(token));
  });

  test('go out one at a time, also after one that failed', async () => {
    const probes = new LinkProbes();
    const order: string[] = [];
    const failing = probes.outgoing(async () => {
      order.push('first');
      throw new Error('no link');
    });
    const next = probes.outgoing(async () => order.push('second'));
    await expect(failing).rejects.toThrow('no link');
    await next;
    expect(order).toEqual(['first', 'second']);
  });
});
