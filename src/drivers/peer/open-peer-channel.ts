import { readFile } from 'node:fs/promises';
import { Client, type ClientChannel } from 'ssh2';
import type { NodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { LineSplitter } from '../qmp/line-splitter.js';
import { type PinnedHostKey, parseKnownHosts } from '../ssh/known-hosts.js';
import { sshSettings } from '../ssh/ssh-settings.js';
import { CallTable } from './call-table.js';
import type { PeerChannel } from './peer-channel.js';
import { LINE_LIMIT_BYTES } from './protocol.js';

export type { PeerChannel } from './peer-channel.js';

/** Where the peer is and how both sides know each other. */
export interface PeerTarget {
  readonly node: NodeName;
  readonly address: string;
  /** Port of the peer's sshd; 22 when absent. */
  readonly port?: number;
  readonly privateKeyFile: string;
  readonly knownHostsFile: string;
  /** For TCP, key exchange, authentication and start of the relay together. */
  readonly timeoutMs: number;
}

/** What sshd is asked to run; the forced command of the key decides what does run. */
const RELAY_COMMAND = 'kedge peer';

/**
 * Opens the channel to a node's worker: ssh2 to its sshd, forced command `kedge peer`. That the worker itself answers is
 * known only from the first call (`hello`).
 * @throws KedgeError `peer-unreachable`, `peer-untrusted` (host key not pinned or another one), `peer-refused` (our key is not let in)
 */
export async function openPeerChannel(target: PeerTarget): Promise<PeerChannel> {
  const pinned = await pinnedKeys(target);
  const privateKey = await readKeyFile(target.privateKeyFile);
  const client = new Client();
  const stream = await openStream(client, { target, pinned, privateKey });
  return channelOver(client, { stream, node: target.node });
}

interface Opening {
  readonly target: PeerTarget;
  readonly pinned: readonly PinnedHostKey[];
  readonly privateKey: Buffer;
}

function openStream(client: Client, { target, pinned, privateKey }: Opening): Promise<ClientChannel> {
  const where = `${target.node} at ${target.address}:${target.port ?? 22}`;
  let untrusted = false;
  const settings = sshSettings(pinned, () => {
    untrusted = true;
  });
  return new Promise((resolve, reject) => {
    const fail = (error: KedgeError): void => {
      clearTimeout(timer);
      client.destroy();
      reject(error);
    };
    const unreachable = (reason: string, cause?: unknown): void =>
      fail(new KedgeError('peer-unreachable', `Cannot reach node ${where}: ${reason}`, { cause, details: { node: target.node, mayHaveRun: false } }));
    const timer = setTimeout(() => unreachable(`no connection within ${target.timeoutMs} ms`), target.timeoutMs);
    client.on('error', (error) => {
      // A host without any key of a pinned type fails in the key exchange, before the verifier is asked.
      if (untrusted || error.message.includes('no matching host key format')) fail(wrongKey(where, target.node));
      else if (error.level === 'client-authentication') fail(notLetIn(where, { node: target.node, cause: error }));
      else unreachable(error.message, error);
    });
    client.on('close', () => unreachable('the connection was closed'));
    client.on('ready', () => {
      // Requests are small and inside the blackout: none may wait for the acknowledgement of the one before.
      client.setNoDelay(true);
      client.exec(RELAY_COMMAND, (error, stream) => {
        if (error !== undefined) return unreachable(`its sshd does not start the relay: ${error.message}`, error);
        clearTimeout(timer);
        resolve(stream);
      });
    });
    client.connect({
      ...settings,
      host: target.address,
      port: target.port ?? 22,
      username: 'root',
      privateKey,
      readyTimeout: target.timeoutMs,
    });
  });
}

function channelOver(client: Client, { stream, node }: { stream: ClientChannel; node: NodeName }): PeerChannel {
  const calls = new CallTable(node, (line) => stream.write(line));
  const lines = new LineSplitter(LINE_LIMIT_BYTES);
  let stderrTail = '';
  let isClosed = false;
  let finish = (): void => undefined;
  const closed = new Promise<void>((resolve) => {
    finish = resolve;
  });
  const end = (reason: KedgeError): void => {
    if (isClosed) return;
    isClosed = true;
    calls.breakOff(reason);
    client.destroy();
    finish();
  };
  const lost = (reason: string, cause?: unknown): void =>
    end(new KedgeError('peer-unreachable', `Cannot go on talking to node ${node}: ${reason}`, { cause, details: { node } }));
  stream.on('data', (chunk: Buffer) => {
    try {
      for (const line of lines.push(chunk)) calls.take(line);
    } catch (error) {
      if (error instanceof KedgeError) end(error);
      else lost(String(error), error);
    }
  });
  stream.stderr.on('data', (chunk: Buffer) => {
    stderrTail = (stderrTail + chunk.toString('utf8')).slice(-500);
  });
  stream.on('close', () => lost(stderrTail === '' ? 'the relay ended' : `the relay ended and said "${stderrTail.trim()}"`));
  client.on('error', (error) => lost(error.message, error));
  client.on('close', () => lost('the connection was closed'));
  return {
    call: (op, args, options) => calls.call(op, args, options),
    close: () => lost('this node closed the channel'),
    closed,
    get isClosed() {
      return isClosed;
    },
  };
}

async function pinnedKeys(target: PeerTarget): Promise<readonly PinnedHostKey[]> {
  const text = (await readKeyFile(target.knownHostsFile)).toString('utf8');
  const keys = parseKnownHosts(text, target.knownHostsFile).filter(({ node }) => node === target.node);
  if (keys.length === 0) {
    throw new KedgeError('peer-untrusted', `Cannot trust node ${target.node}: ${target.knownHostsFile} has no key of it`, { details: { node: target.node } });
  }
  return keys;
}

async function readKeyFile(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    throw new KedgeError('bad-config', `Cannot read key file "${file}"`, { cause: error, details: { file } });
  }
}

function wrongKey(where: string, node: NodeName): KedgeError {
  return new KedgeError('peer-untrusted', `Cannot trust node ${where}: it shows another host key than the pinned one`, { details: { node } });
}

function notLetIn(where: string, { node, cause }: { node: NodeName; cause: Error }): KedgeError {
  return new KedgeError('peer-refused', `Cannot log in to node ${where}: it does not accept our key`, { cause, details: { node, code: 'authentication' } });
}
