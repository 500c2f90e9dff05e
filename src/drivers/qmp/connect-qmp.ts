import { createConnection, type Socket } from 'node:net';
import { KedgeError } from '../../domain/kedge-error.js';
import { QmpClient } from './qmp-client.js';
import type { QmpConnection } from './qmp-connection.js';
import { CONNECT_TIMEOUT_MS, GREETING_TIMEOUT_MS } from './timeouts.js';

export interface ConnectQmpOptions {
  readonly connectTimeoutMs?: number;
  /** A monitor socket serves one client: another one's connect succeeds, but no greeting comes. */
  readonly greetingTimeoutMs?: number;
}

/**
 * Connects to a QMP socket, waits for the greeting and negotiates out-of-band execution.
 * @throws KedgeError `qmp-disconnected` nobody listens, `qmp-busy` no greeting in time
 */
export async function connectQmp(socketPath: string, options: ConnectQmpOptions = {}): Promise<QmpConnection> {
  const socket = await connect(socketPath, options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS);
  const { client, capabilities } = await greet({ socket, socketPath, timeoutMs: options.greetingTimeoutMs ?? GREETING_TIMEOUT_MS });
  try {
    await client.execute('qmp_capabilities', { enable: capabilities.filter((name) => name === 'oob') });
  } catch (error) {
    client.close();
    throw error;
  }
  return client;
}

function connect(socketPath: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ path: socketPath });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new KedgeError('qmp-disconnected', `Cannot connect to QEMU at ${socketPath}: no answer in ${timeoutMs} ms`));
    }, timeoutMs);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      // EAGAIN: QEMU's backlog of one is full, so a client is attached and another one waits.
      const code = error.code === 'EAGAIN' ? 'qmp-busy' : 'qmp-disconnected';
      reject(new KedgeError(code, `Cannot connect to QEMU at ${socketPath}: ${error.code ?? error.message}`, { cause: error }));
    });
  });
}

function greet(attempt: { socket: Socket; socketPath: string; timeoutMs: number }): Promise<{ client: QmpClient; capabilities: readonly string[] }> {
  const { socket, socketPath, timeoutMs } = attempt;
  return new Promise((resolve, reject) => {
    const client = new QmpClient(socket, (capabilities) => {
      clearTimeout(timer);
      resolve({ client, capabilities });
    });
    const timer = setTimeout(() => {
      client.close();
      reject(new KedgeError('qmp-busy', `Cannot talk to QEMU at ${socketPath}: no greeting in ${timeoutMs} ms, another client is attached`));
    }, timeoutMs);
    void client.closed.then(() => {
      clearTimeout(timer);
      reject(new KedgeError('qmp-disconnected', `Cannot talk to QEMU at ${socketPath}: it closed the connection before its greeting`));
    });
  });
}
