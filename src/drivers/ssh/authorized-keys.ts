import type { NodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';

const PUBLIC_KEY = /^(ssh-ed25519|ecdsa-sha2-nistp(?:256|384|521)|ssh-rsa) [A-Za-z0-9+/]+={0,2}( [^\n"]*)?$/;
const PLAIN_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/;

/**
 * The line of authorized_keys that lets one peer in: no terminal, no forwarding, and whatever it asks for, only the relay
 * runs, which tells the worker the name that belongs to this key.
 * @param entry.program argv of kedge on this machine, e.g. `['/usr/bin/kedge']`
 * @throws KedgeError `bad-input` when the public key is not one
 */
export function authorizedPeerKey(entry: { readonly node: NodeName; readonly publicKey: string; readonly program: readonly string[] }): string {
  const key = publicKey(entry.publicKey, `node ${entry.node}`);
  const command = [...entry.program, 'peer', '--from', entry.node].map(quoteForShell).join(' ');
  // sshd(8): inside the option only the double quote is escaped.
  return `restrict,command="${command.replaceAll('"', '\\"')}" ${key}\n`;
}

/**
 * The line of authorized_keys that lets the control workers run the commands of maintenance windows: any command, as root, but no terminal and no
 * forwarding. A forced command too, so that sshd may stay at `PermitRootLogin forced-commands-only`.
 * @throws KedgeError `bad-input` when the public key is not one
 */
export function authorizedMaintenanceKey(key: string): string {
  return `restrict,command="exec sh -c \\"$SSH_ORIGINAL_COMMAND\\"" ${publicKey(key, 'maintenance')}\n`;
}

function publicKey(text: string, of: string): string {
  const key = text.trim();
  if (PUBLIC_KEY.test(key)) return key;
  throw new KedgeError('bad-input', `Cannot authorise ${of}: current value is "${key.slice(0, 40)}", must be an OpenSSH public key`);
}

/** One word for the login shell, to which sshd hands every command. */
export function quoteForShell(word: string): string {
  return PLAIN_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
