import type { NodeName } from '../../domain/ids.js';
import { KedgeError } from '../../domain/kedge-error.js';
import { CIPHERS, HOST_KEY_ALGORITHMS, KEEPALIVE_COUNT, KEEPALIVE_INTERVAL_MS, KEY_EXCHANGES } from './ssh-settings.js';

/** A node as OpenSSH reaches it. */
export interface SshTarget {
  readonly node: NodeName;
  readonly address: string;
  /** 22 when absent. */
  readonly port?: number;
  readonly privateKeyFile: string;
  readonly knownHostsFile: string;
}

const CONNECT_TIMEOUT_SECONDS = 20;
/** No blank, quote or percent sign: ssh would take them for separators and tokens inside of its options. */
const PLAIN_PATH = /^\/[A-Za-z0-9_@+=:,./-]+$/;

/**
 * argv of the OpenSSH client up to, not including, the host, which has to be the name of the node. Nothing is read from the
 * system's or root's ssh configuration, nobody is asked, no agent and no port is forwarded, and the host key must be
 * pinned under the name of the node.
 * @throws KedgeError `bad-config` for a path that ssh could misread
 */
export function sshArguments(target: SshTarget): readonly string[] {
  const options = [
    `HostName=${target.address}`,
    `HostKeyAlias=${target.node}`,
    `UserKnownHostsFile=${plain(target.knownHostsFile)}`,
    'GlobalKnownHostsFile=/dev/null',
    'StrictHostKeyChecking=yes',
    'UpdateHostKeys=no',
    'CheckHostIP=no',
    'BatchMode=yes',
    'IdentitiesOnly=yes',
    'IdentityAgent=none',
    'PreferredAuthentications=publickey',
    'ControlMaster=no',
    'ControlPath=none',
    'ClearAllForwardings=yes',
    'Compression=no',
    'LogLevel=ERROR',
    `ConnectTimeout=${CONNECT_TIMEOUT_SECONDS}`,
    `ServerAliveInterval=${KEEPALIVE_INTERVAL_MS / 1_000}`,
    `ServerAliveCountMax=${KEEPALIVE_COUNT}`,
    `KexAlgorithms=${KEY_EXCHANGES.join(',')}`,
    `Ciphers=${CIPHERS.join(',')}`,
    `HostKeyAlgorithms=${HOST_KEY_ALGORITHMS.join(',')}`,
  ];
  return [
    'ssh',
    '-F',
    'none',
    '-a',
    '-x',
    '-T',
    '-l',
    'root',
    '-p',
    String(target.port ?? 22),
    '-i',
    plain(target.privateKeyFile),
    ...options.flatMap((option) => ['-o', option]),
  ];
}

function plain(path: string): string {
  if (!PLAIN_PATH.test(path)) {
    throw new KedgeError('bad-config', `Cannot use key file "${path}" with ssh: must be an absolute path of letters, digits and _@+=:,.- only`);
  }
  return path;
}
