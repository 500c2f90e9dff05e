import { setTimeout as sleep } from 'node:timers/promises';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { BenchNode } from '../live/bench-node.js';
import { SSH_FOLDER, SSHD_PORT, startBenchSshd } from './bench-sshd.js';

/** A forwarding of OpenSSH with its default cipher, as PVE migrates by default. */
export interface SshTunnel {
  readonly sourcePort: number;
  readonly targetPort: number;
  close(): Promise<void>;
}

const SOURCE_PORT = 60_001;
const TARGET_PORT = 60_002;

/** `ssh -L` from the source to an sshd of its own on the target, over the migration network. */
export async function openSshTunnel(source: BenchNode, target: BenchNode): Promise<SshTunnel> {
  const sshd = await startBenchSshd(source, target);
  await openForward(source, target);
  return {
    sourcePort: SOURCE_PORT,
    targetPort: TARGET_PORT,
    close: async () => {
      await source.run(['ssh', '-S', `${SSH_FOLDER}/control`, '-O', 'exit', 'target']).catch(() => '');
      await sshd.close();
    },
  };
}

async function openForward(source: BenchNode, target: BenchNode): Promise<void> {
  const command = [
    'ssh',
    ...['-N', '-M', '-S', `${SSH_FOLDER}/control`, '-i', `${SSH_FOLDER}/key`, '-p', String(SSHD_PORT)],
    ...['BatchMode=yes', 'StrictHostKeyChecking=no', 'UserKnownHostsFile=/dev/null', 'LogLevel=ERROR', 'ExitOnForwardFailure=yes'].flatMap((option) => [
      '-o',
      option,
    ]),
    ...['-L', `127.0.0.1:${SOURCE_PORT}:127.0.0.1:${TARGET_PORT}`, `root@${target.migrationAddress}`],
  ];
  source.start(command, `${SSH_FOLDER}/log`);
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if ((await source.run(['ss', '-Hltn'])).includes(`127.0.0.1:${SOURCE_PORT} `)) return;
    await sleep(100);
  }
  throw new KedgeError('lab-failed', `Cannot open an ssh tunnel from ${source.name} to ${target.name}: ${await source.run(['cat', `${SSH_FOLDER}/log`])}`);
}
