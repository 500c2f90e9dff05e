import type { ConnectConfig, ServerHostKeyAlgorithm } from 'ssh2';
import type { PinnedHostKey } from './known-hosts.js';

/** Signature algorithms by key type: an RSA key signs with SHA-2 only, `ssh-rsa` (SHA-1) is never offered. */
const SIGNATURES: Readonly<Record<string, readonly ServerHostKeyAlgorithm[]>> = {
  'ssh-ed25519': ['ssh-ed25519'],
  'ecdsa-sha2-nistp256': ['ecdsa-sha2-nistp256'],
  'ecdsa-sha2-nistp384': ['ecdsa-sha2-nistp384'],
  'ecdsa-sha2-nistp521': ['ecdsa-sha2-nistp521'],
  'ssh-rsa': ['rsa-sha2-512', 'rsa-sha2-256'],
};

/** A peer that is silent for three of these is given up. */
export const KEEPALIVE_INTERVAL_MS = 5_000;
export const KEEPALIVE_COUNT = 3;
export const KEY_EXCHANGES = ['curve25519-sha256', 'curve25519-sha256@libssh.org'] as const;
export const CIPHERS = ['aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'chacha20-poly1305@openssh.com'] as const;
/** What a pinned key of any type may sign with. */
export const HOST_KEY_ALGORITHMS: readonly string[] = Object.values(SIGNATURES).flat();

/**
 * What every ssh connection between nodes uses: modern algorithms, keepalives, and a verifier without which ssh2 would
 * accept any host key. Only types that are pinned are asked for, so that a host with several keys shows one we know.
 * `onUnknownKey` is called when the host shows a key that is not pinned; the connection fails right after.
 */
export function sshSettings(
  pinned: readonly PinnedHostKey[],
  onUnknownKey: () => void,
): Pick<ConnectConfig, 'algorithms' | 'hostVerifier' | 'keepaliveInterval' | 'keepaliveCountMax'> {
  return {
    algorithms: {
      kex: [...KEY_EXCHANGES],
      cipher: [...CIPHERS],
      serverHostKey: [...new Set(pinned.flatMap(({ type }) => SIGNATURES[type] ?? []))],
    },
    hostVerifier: (key: Buffer) => {
      const known = pinned.some((host) => key.equals(Buffer.from(host.key, 'base64')));
      if (!known) onUnknownKey();
      return known;
    },
    keepaliveInterval: KEEPALIVE_INTERVAL_MS,
    keepaliveCountMax: KEEPALIVE_COUNT,
  };
}
