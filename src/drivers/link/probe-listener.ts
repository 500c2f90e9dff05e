import { createSocket, type Socket as DatagramSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { KedgeError } from '../../domain/kedge-error.js';
import { MOST_STREAM_BYTES, parseProbe, SMALL_BYTES, TOKEN_BYTES } from './probe-packet.js';

/** What has arrived so far. */
export interface ProbeTally {
  /** Small datagrams, each number once. */
  readonly arrived: number;
  readonly largeArrived: number;
  /** Of the stream, so far; null: nothing of one has arrived. */
  readonly bytesPerSecond: number | null;
}

/** The receiving end of one probe. */
export interface ProbeListener {
  readonly udpPort: number;
  readonly tcpPort: number;
  /** Waits a moment until so many have arrived, or nothing more comes. */
  tally(expected: { readonly small: number; readonly large: number }): Promise<ProbeTally>;
  close(): void;
}

/** The kernel keeps what comes while the worker is busy with other things; it doubles this, and may grant less. */
const RECEIVE_BUFFER_BYTES = 2 ** 20;
const QUIET_MS = 100;
const LOOK_EVERY_MS = 10;
/** A shaper lets the first bytes pass at once: they say nothing of its rate. */
const SETTLING_MS = 50;
const SHORTEST_STREAM_MS = 20;
/** More than any shaper lets pass at once: then even a short time tells the rate of a fast link. */
const LARGEST_BURST_BYTES = MOST_STREAM_BYTES / 2;

/**
 * Listens on `host` for one probe. Small datagrams are echoed, so that the sender can pace itself and measure the round trip: only those
 * that bear the secret, and never more than came.
 * @throws KedgeError `peer-refused` when nothing can listen on that address
 */
export async function openProbeListener({ host, token }: { readonly host: string; readonly token: Buffer }): Promise<ProbeListener> {
  const seen = { small: new Set<number>(), large: new Set<number>(), lastMs: performance.now() };
  const stream = new StreamMeter();
  let datagrams: DatagramSocket | null = null;
  let server: Server | null = null;
  try {
    const { family } = await lookup(host);
    datagrams = createSocket(family === 6 ? 'udp6' : 'udp4');
    datagrams.bind(0, host);
    await once(datagrams, 'listening');
    datagrams.setRecvBufferSize(RECEIVE_BUFFER_BYTES);
    server = createServer((socket) => stream.read(socket, token));
    server.listen(0, host);
    await once(server, 'listening');
  } catch (cause) {
    datagrams?.close();
    server?.close();
    throw new KedgeError('peer-refused', `Cannot listen on ${host}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  const socket = datagrams;
  socket.on('error', () => undefined);
  server.on('error', () => undefined);
  socket.on('message', (packet, from) => {
    const number = parseProbe(token, packet);
    if (number === null) return;
    seen.lastMs = performance.now();
    if (packet.length > SMALL_BYTES) {
      seen.large.add(number);
      return;
    }
    seen.small.add(number);
    socket.send(packet, from.port, from.address, () => undefined);
  });
  return {
    udpPort: socket.address().port,
    tcpPort: portOf(server),
    async tally(expected) {
      const began = performance.now();
      while (seen.small.size < expected.small || seen.large.size < expected.large) {
        if (performance.now() - Math.max(began, seen.lastMs) > QUIET_MS) break;
        await delay(LOOK_EVERY_MS);
      }
      return { arrived: seen.small.size, largeArrived: seen.large.size, bytesPerSecond: stream.bytesPerSecond() };
    },
    close() {
      socket.close();
      server.close();
      stream.close();
    },
  };
}

/** Counts the bytes of the streams that bear the secret. */
class StreamMeter {
  readonly #sockets = new Set<Socket>();
  readonly #points: { readonly atMs: number; readonly bytes: number }[] = [];
  #bytes = 0;
  #begunMs = 0;

  read(socket: Socket, token: Buffer): void {
    this.#begunMs = performance.now();
    this.#sockets.add(socket);
    let head = Buffer.alloc(0);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      if (head.length < TOKEN_BYTES) {
        head = Buffer.concat([head, chunk.subarray(0, TOKEN_BYTES - head.length)]);
        if (head.length === TOKEN_BYTES && !head.equals(token)) socket.destroy();
        return;
      }
      this.#bytes += chunk.length;
      this.#points.push({ atMs: performance.now(), bytes: this.#bytes });
    });
  }

  bytesPerSecond(): number | null {
    const [first, last] = [this.#points[0], this.#points.at(-1)];
    if (first === undefined || last === undefined) return null;
    const settled = this.#points.find(({ atMs }) => atMs - first.atMs >= SETTLING_MS && last.atMs - atMs >= SHORTEST_STREAM_MS) ?? first;
    const spanMs = last.atMs - settled.atMs;
    if (spanMs >= SHORTEST_STREAM_MS || (last.bytes > LARGEST_BURST_BYTES && spanMs > 0)) return Math.round(((last.bytes - settled.bytes) / spanMs) * 1_000);
    // All came at once: what a slow link had room for while the sender went on trying.
    return Math.round((last.bytes / Math.max(1, performance.now() - this.#begunMs)) * 1_000);
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
