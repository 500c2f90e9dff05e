import { connect } from 'node:net';
import { errnoOf } from '../host/storage-error.js';

const SSH_PORT = 22;
const TIMEOUT_MS = 4_000;

/** `open`: something listens there; `refused`: the machine says that nothing does. Both come from a machine that has power. Null: silence. */
export type HostAnswer = 'open' | 'refused' | null;

/** Knocks at a machine's port of ssh. Says nothing to it, and changes nothing. */
export function probeHost(address: string, { port = SSH_PORT, timeoutMs = TIMEOUT_MS }: { port?: number; timeoutMs?: number } = {}): Promise<HostAnswer> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (answer: HostAnswer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => end(null), timeoutMs);
    socket.on('connect', () => end('open'));
    socket.on('error', (error) => end(errnoOf(error) === 'ECONNREFUSED' || errnoOf(error) === 'ECONNRESET' ? 'refused' : null));
  });
}
