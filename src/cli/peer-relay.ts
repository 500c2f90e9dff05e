/**
 * `kedge peer --from <node>`: the program that sshd runs for a peer's key. It joins its standard streams to the worker's
 * socket and tells the worker the name that belongs to the key; it understands nothing of what it carries. Whoever asks sshd
 * for rsync gets the relay for copies instead (rsync-relay.ts), and nothing else that may be asked for changes anything.
 *
 * It runs at the start of every channel and loads nothing but this file and the paths, so that it starts like Node itself.
 * While the worker restarts it keeps trying for a short time: the peer then sees a slow answer instead of a failure.
 */
import { type Socket, connect } from 'node:net';
import { pathsFromEnvironment, peerSocketFile, rsyncGrantFolder } from '../config/paths.js';

/** A worker restarts within about a second; a peer in a switchover has other ways after that. */
const PATIENCE_MS = 3_000;
const RETRY_MS = 20;
const NODE_NAME = /^[a-zA-Z0-9-]{1,63}$/;

const command = process.env['SSH_ORIGINAL_COMMAND'] ?? '';
const from = process.argv[process.argv.indexOf('--from') + 1];
if (from === undefined || !process.argv.includes('--from') || !NODE_NAME.test(from)) {
  fail('bad-input', 'Cannot relay: usage is kedge peer --from <node>');
} else if (command.startsWith('rsync ')) {
  const { relayRsync } = await import('./rsync-relay.js');
  process.exitCode = await relayRsync(command, { peer: from, folder: rsyncGrantFolder(pathsFromEnvironment()) });
} else {
  join(from, { socketFile: peerSocketFile(pathsFromEnvironment()), giveUpAt: performance.now() + PATIENCE_MS });
}

function join(peer: string, { socketFile, giveUpAt }: { readonly socketFile: string; readonly giveUpAt: number }): void {
  const socket = connect(socketFile);
  socket.once('connect', () => {
    socket.removeAllListeners('error');
    carry(socket, peer);
  });
  socket.once('error', (error) => {
    if (performance.now() < giveUpAt) setTimeout(() => join(peer, { socketFile, giveUpAt }), RETRY_MS);
    else fail('peer-unreachable', `its node worker does not answer: ${error.message}`);
  });
}

function carry(socket: Socket, peer: string): void {
  // Either end may vanish at any time; what the other end sees is the end of its stream.
  socket.on('error', () => process.exit(1));
  process.stdout.on('error', () => process.exit(1));
  process.stdin.on('error', () => process.exit(1));
  socket.once('close', () => process.exit());
  socket.write(`${JSON.stringify({ peer })}\n`);
  process.stdin.pipe(socket);
  socket.pipe(process.stdout);
}

function fail(code: string, message: string): void {
  process.exitCode = 1;
  process.stdout.write(`${JSON.stringify({ id: null, error: { code, message } })}\n`);
}
