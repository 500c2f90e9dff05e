import { once } from 'node:events';
import { connect } from 'node:net';

/**
 * Speaks to the worker's socket as the relay does, to send what no relay would, and returns all that comes back.
 * Ends its side at once, or, with `until`, when that text has come; `lines`: when so many lines have.
 */
export async function sendRaw(socketFile: string, bytes: string | Buffer, options: { readonly until?: string; readonly lines?: number } = {}): Promise<string> {
  const socket = connect({ path: socketFile });
  await once(socket, 'connect');
  let answer = '';
  socket.on('data', (chunk: Buffer) => {
    answer += chunk.toString('utf8');
    if (options.until !== undefined && answer.includes(options.until) && answer.split('\n').length > (options.lines ?? 0)) socket.end();
  });
  // A worker that has answered and hung up resets what we still send.
  socket.on('error', () => undefined);
  if (options.until === undefined) socket.end(bytes);
  else socket.write(bytes);
  if (!socket.closed) await once(socket, 'close');
  return answer;
}
