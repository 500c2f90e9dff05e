import { imagePassArguments, treePassArguments, type RsyncTarget } from '../../src/drivers/rsync/rsync-arguments.js';
import { sshArguments } from '../../src/drivers/ssh/ssh-arguments.js';
import type { BenchNode } from '../live/bench-node.js';
import { SSH_FOLDER, SSHD_PORT, startBenchSshd } from './bench-sshd.js';

/** Where bare rsync puts its copy; a path of the target. */
const COPY = '/var/lib/kedge/images/bench-copy';
const TOKEN = '0'.repeat(32);
const TIMEOUT_MS = 30 * 60_000;

/**
 * Copies an image or a tree to nothing with bare rsync: the product's flags, over ssh with the product's ciphers. Answers how long it took,
 * in milliseconds; the copy is removed.
 * @throws KedgeError `lab-failed`
 */
export async function copyRaw({ path, kind, source, target }: { path: string; kind: 'file' | 'tree'; source: BenchNode; target: BenchNode }): Promise<number> {
  const sshd = await startBenchSshd(source, target);
  try {
    if (kind === 'tree') await target.run(['mkdir', COPY]);
    const remoteShell = sshArguments({
      node: target.name,
      address: target.migrationAddress,
      port: SSHD_PORT,
      privateKeyFile: `${SSH_FOLDER}/key`,
      knownHostsFile: `${SSH_FOLDER}/known_hosts`,
    });
    const end: RsyncTarget = { node: target.name, token: TOKEN, remoteShell };
    const pass = { source: path, target: end, final: true, compression: 'lz4' } as const;
    const args = kind === 'tree' ? treePassArguments(pass) : imagePassArguments({ ...pass, targetIsEmpty: true });
    const started = performance.now();
    // Without a grant there is no token: it stands for the path.
    await source.run(['rsync', ...args.map((word) => word.replace(`${target.name}:${TOKEN}`, `${target.name}:${COPY}`))], { timeoutMs: TIMEOUT_MS });
    return performance.now() - started;
  } finally {
    await target.run(['rm', '-rf', COPY], { timeoutMs: TIMEOUT_MS });
    await sshd.close();
  }
}
