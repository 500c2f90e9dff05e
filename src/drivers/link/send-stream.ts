import { once } from 'node:events';
import { createConnection, type Socket } from 'node:net';
import { MOST_STREAM_BYTES } from './probe-packet.js';

/** A link that loses packets may need the third try, which the kernel makes after 3 s. */
const CONNECT_TIMEOUT_MS = 4_000;
const CHUNK = Buffer.alloc(64 * 1024);
/** Enough to see a rate, too little to be felt by others. */
const STREAM_MS = 200;

/** Can a TCP connection be opened? Its packets need both directions. */
export async function canConnect(to: { readonly host: string; readonly port: number }): Promise<boolean> {
  const socket = await connectOrNull(to);
  socket?.destroy();
  return socket !== null;
}

/** Sends a short stream as fast as it goes; the listener counts. Answers whether it could connect. */
export async function sendStream(to: { readonly host: string; readonly port: number; readonly token: Buffer }): Promise<boolean> {
  const socket = await connectOrNull(to);
  if (socket === null) return false;
  const end = new AbortController();
  const timer = setTimeout(() => end.abort(), STREAM_MS);
  try {
    socket.write(to.token);
    for (let sent = 0; sent < MOST_STREAM_BYTES && !end.signal.aborted; sent += CHUNK.length) {
      if (!socket.write(CHUNK)) await once(socket, 'drain', { signal: end.signal });
    }
  } catch {
    // The time is up, or the link broke down: the listener's count tells.
  } finally {
    clearTimeout(timer);
    socket.destroy();
  }
  return true;
}

function connectOrNull({ host, port }: { readonly host: string; readonly port: number }): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = createConnection({ host, port });
    const giveUp = (): void => {
      socket.destroy();
      resolve(null);
    };
    const timer = setTimeout(giveUp, CONNECT_TIMEOUT_MS);
    // Kept for the life of the socket: a reset must not end the worker.
    socket.on('error', () => {
      clearTimeout(timer);
      giveUp();
    });
    socket.once('connect', () => {
      clearTimeout(timer);
      resolve(socket);
    });
  });
}
