import { chmod, unlink } from 'node:fs/promises';
import { type Server, type Socket, createServer } from 'node:net';
import type { NodeName } from '../../domain/ids.js';
import { errnoOf, storageError } from '../host/storage-error.js';
import { PeerSession } from './peer-session.js';
import type { PeerAnswer, PeerRequest } from './protocol.js';

/** What the node worker does with a request. It may throw KedgeError: the caller sees code, message and details. */
export type PeerHandler = (from: NodeName, request: PeerRequest, context: { readonly signal: AbortSignal }) => Promise<PeerAnswer>;

/** The listening side in the node worker. */
export interface PeerServer {
  /** Stops listening, ends the connections, removes the socket. Work under way is not waited for. */
  close(): Promise<void>;
}

/**
 * Listens for relays on a unix socket that only root can open. Nothing that a peer sends can end the worker.
 * The signal of a request is aborted at its deadline and when its connection ends: nobody reads the answer then.
 * An old socket is removed: the caller holds the lock of the node's one worker.
 * @throws KedgeError `storage-failed` when the socket can't be made
 */
export async function servePeers(options: { readonly socketFile: string; readonly handle: PeerHandler }): Promise<PeerServer> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    new PeerSession(socket, options.handle).run();
  });
  try {
    await removeOldSocket(options.socketFile);
    await listen(server, options.socketFile);
    await chmod(options.socketFile, 0o600);
  } catch (error) {
    server.close();
    throw storageError(`listen for peers on "${options.socketFile}"`, error);
  }
  return {
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

function listen(server: Server, socketFile: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketFile, () => {
      server.off('error', reject);
      // A connection that could not be accepted (no free descriptors) is the relay's to try again: it must not end the worker.
      server.on('error', () => undefined);
      resolve();
    });
  });
}

async function removeOldSocket(socketFile: string): Promise<void> {
  try {
    await unlink(socketFile);
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw error;
  }
}
