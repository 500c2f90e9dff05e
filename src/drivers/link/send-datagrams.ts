import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { parseProbe, printProbe, SMALL_BYTES } from './probe-packet.js';

/** The sending end of the datagrams of one probe. */
export interface DatagramSender {
  /** Sends so many small ones, numbered on; answers how many went out. */
  small(count: number): Promise<number>;
  /** Sends some of this length. */
  large(count: number, bytes: number): Promise<number>;
  /** Shortest round trip; null: no echo came. */
  readonly roundTripMs: number | null;
  close(): void;
}

/** So many are under way at once: what a receiver that is busy elsewhere can keep. */
const BURST = 50;
const ECHO_WAIT_MS = 20;
/** The first one may have to wait for the neighbour's address. */
const FIRST_ECHO_WAIT_MS = 200;
const LOOK_EVERY_MS = 1;

/** Opens a way for datagrams to the listener of a probe. @throws the errors of `node:dns` and `node:dgram` */
export async function openDatagramSender(to: { readonly host: string; readonly port: number; readonly token: Buffer }): Promise<DatagramSender> {
  const { address, family } = await lookup(to.host);
  const socket = createSocket(family === 6 ? 'udp6' : 'udp4');
  socket.connect(to.port, address);
  await once(socket, 'connect');
  // What the network says of a datagram that did not get through shows in the peer's count.
  socket.on('error', () => undefined);
  const sentAtMs = new Map<number, number>();
  const pace = { next: 1, echoes: 0, shortestMs: Number.POSITIVE_INFINITY };
  socket.on('message', (packet) => {
    const number = parseProbe(to.token, packet);
    const sentMs = number === null ? undefined : sentAtMs.get(number);
    if (number === null || sentMs === undefined) return;
    sentAtMs.delete(number);
    pace.echoes += 1;
    pace.shortestMs = Math.min(pace.shortestMs, performance.now() - sentMs);
  });
  const sendBurst = async (count: number, waitMs: number): Promise<number> => {
    const expected = pace.echoes + count;
    let sent = 0;
    for (let at = 0; at < count; at += 1) {
      sentAtMs.set(pace.next, performance.now());
      if (await sendOne(socket, printProbe(to.token, pace.next, SMALL_BYTES))) sent += 1;
      pace.next += 1;
    }
    const deadline = performance.now() + waitMs;
    while (pace.echoes < expected && performance.now() < deadline) await delay(LOOK_EVERY_MS);
    return sent;
  };
  return {
    async small(count) {
      let sent = await sendBurst(1, FIRST_ECHO_WAIT_MS);
      while (sent < count) {
        const burst = await sendBurst(Math.min(BURST, count - sent), pace.echoes === 0 ? LOOK_EVERY_MS : ECHO_WAIT_MS);
        if (burst === 0) break;
        sent += burst;
      }
      return sent;
    },
    async large(count, bytes) {
      let sent = 0;
      for (let at = 0; at < count; at += 1) {
        if (await sendOne(socket, printProbe(to.token, at, bytes))) sent += 1;
        await delay(LOOK_EVERY_MS);
      }
      return sent;
    },
    get roundTripMs() {
      return Number.isFinite(pace.shortestMs) ? pace.shortestMs : null;
    },
    close: () => socket.close(),
  };
}

/** Did it leave this node? */
function sendOne(socket: Socket, packet: Buffer): Promise<boolean> {
  return new Promise((resolve) => socket.send(packet, (error) => resolve(error === null)));
}
