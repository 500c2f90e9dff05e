import { type NodeName, parseNodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';

/** One pinned host key. The cluster keeps them by node name, not by address: an address may move, a name may not. */
export interface PinnedHostKey {
  readonly node: NodeName;
  /** Type of the key as in the file: `ssh-ed25519`, `ecdsa-sha2-nistp256`, `ssh-rsa`. */
  readonly type: string;
  /** The public key blob of RFC 4253 §6.6, base64. */
  readonly key: string;
}

const KEY = /^[A-Za-z0-9+/]+={0,2}$/;

/**
 * Reads the pinned host keys: `<node> <type> <base64> [comment]`, `#` starts a comment line.
 * OpenSSH's patterns, hashes and `@` markers are refused: this file is written by Kedge and names nodes only.
 * @throws KedgeError `bad-config` that names file and line
 */
export function parseKnownHosts(text: string, file: string): readonly PinnedHostKey[] {
  return text.split('\n').flatMap((line, index) => {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#')) return [];
    const [name = '', type = '', key = ''] = trimmed.split(/\s+/);
    if (!KEY.test(key)) throw badLine(file, index, 'expected <node> <type> <base64 key>');
    try {
      return [{ node: parseNodeName(name), type, key }];
    } catch (error) {
      throw badLine(file, index, error instanceof Error ? error.message : String(error));
    }
  });
}

/** Prints the file that {@link parseKnownHosts} reads. */
export function printKnownHosts(keys: readonly PinnedHostKey[]): string {
  return keys.map(({ node, type, key }) => `${node} ${type} ${key}\n`).join('');
}

function badLine(file: string, index: number, reason: string): KedgeError {
  return new KedgeError('bad-config', `Cannot read pinned host key at ${file}:${index + 1}: ${reason}`, { details: { file, line: index + 1 } });
}
