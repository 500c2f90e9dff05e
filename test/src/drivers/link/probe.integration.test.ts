import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openProbeListener, type ProbeListener } from '../../../../src/drivers/link/probe-listener.js';
import { printProbe, TOKEN_BYTES } from '../../../../src/drivers/link/probe-packet.js';
import { openDatagramSender } from '../../../../src/drivers/link/send-datagrams.js';
import { canConnect, sendStream } from '../../../../src/drivers/link/send-stream.js';

const host = '127.0.0.1';
let ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends) end();
  ends = [];
});

async function listen(): Promise<{ listener: ProbeListener; token: Buffer }> {
  const token = randomBytes(TOKEN_BYTES);
  const listener = await openProbeListener({ host, token });
  ends.push(() => listener.close());
  return { listener, token };
}

describe('a probe', () => {
  test('counts every datagram of a link that loses none, and its round trip', async () => {
    const { listener, token } = await listen();
    const sender = await openDatagramSender({ host, port: listener.udpPort, token });
    ends.push(() => sender.close());
    expect(await sender.small(300)).toBe(300);
    expect(await sender.large(6, 1_400)).toBe(6);
    expect(await listener.tally({ small: 300, large: 6 })).toMatchObject({ arrived: 300, largeArrived: 6 });
    expect(sender.roundTripMs).toBeGreaterThan(0);
  });

  test('loses nothing at a receiver that is busy elsewhere meanwhile', async () => {
    const { listener, token } = await listen();
    const socket = createSocket('udp4');
    ends.push(() => socket.close());
    const sent = Array.from(
      { length: 300 },
      (_, number) => new Promise((resolve) => socket.send(printProbe(token, number, 64), listener.udpPort, host, resolve)),
    );
    await Promise.all(sent);
    const until = performance.now() + 300;
    while (performance.now() < until);
    expect((await listener.tally({ small: 300, large: 0 })).arrived).toBe(300);
  });

  test('counts a number once, and nothing that bears another secret', async () => {
    const { listener, token } = await listen();
    const socket = createSocket('udp4');
    ends.push(() => socket.close());
    const packets = [printProbe(token, 1, 64), printProbe(token, 1, 64), printProbe(randomBytes(TOKEN_BYTES), 2, 64), Buffer.from('x')];
    for (const packet of packets) await new Promise((resolve) => socket.send(packet, listener.udpPort, host, resolve));
    expect((await listener.tally({ small: 4, large: 0 })).arrived).toBe(1);
  });

  test('gives up soon on a receiver that is not there', async () => {
    const { listener, token } = await listen();
    const port = listener.udpPort;
    const sender = await openDatagramSender({ host, port: port === 65_535 ? port - 1 : port + 1, token });
    ends.push(() => sender.close());
    const began = performance.now();
    await sender.small(300);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(sender.roundTripMs).toBeNull();
    expect((await listener.tally({ small: 300, large: 0 })).arrived).toBe(0);
  });

  test('measures the rate of a stream', async () => {
    const { listener, token } = await listen();
    expect(await sendStream({ host, port: listener.tcpPort, token })).toBe(true);
    const { bytesPerSecond } = await listener.tally({ small: 0, large: 0 });
    expect(bytesPerSecond).toBeGreaterThan(10e6);
  });

  test('does not take a link for fast on which little arrives at once and then nothing', async () => {
    const { listener, token } = await listen();
    const socket = createConnection({ host, port: listener.tcpPort });
    ends.push(() => socket.destroy());
    await once(socket, 'connect');
    socket.write(token);
    await expect.poll(async () => (socket.write(Buffer.alloc(1_000)), (await listener.tally({ small: 0, large: 0 })).bytesPerSecond)).not.toBeNull();
    const until = performance.now() + 200;
    await expect.poll(() => performance.now(), { timeout: 5_000 }).toBeGreaterThan(until);
    expect((await listener.tally({ small: 0, large: 0 })).bytesPerSecond).toBeLessThan(100_000);
  });

  test('ends a stream that bears another secret', async () => {
    const { listener } = await listen();
    const socket = createConnection({ host, port: listener.tcpPort });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    socket.write(randomBytes(100));
    await once(socket, 'close');
    expect((await listener.tally({ small: 0, large: 0 })).bytesPerSecond).toBeNull();
  });

  test('says whether a connection can be opened', async () => {
    const { listener } = await listen();
    const port = listener.tcpPort;
    expect(await canConnect({ host, port })).toBe(true);
    listener.close();
    ends = [];
    expect(await canConnect({ host, port })).toBe(false);
  });

  test('can not listen on an address of another machine', async () => {
    await expect(openProbeListener({ host: '192.0.2.1', token: randomBytes(TOKEN_BYTES) })).rejects.toMatchObject({ code: 'peer-refused' });
  });
});
