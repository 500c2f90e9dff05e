import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../lab/run.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { BenchNode } from '../live/bench-node.js';

/** A forwarding of OpenSSH with its default cipher, as PVE migrates by default. */
export interface SshTunnel {
  readonly sourcePort: number;
  readonly targetPort: number;
  close(): Promise<void>;
}

const FOLDER = '/run/kedge/raw-ssh';
const SSHD_PORT = 2022;
const SOURCE_PORT = 60_001;
const TARGET_PORT = 60_002;

/** An sshd of its own on the target, on the migration network, and `ssh -L` from the source to it. */
export async function openSshTunnel(source: BenchNode, target: BenchNode): Promise<SshTunnel> {
  await prepare(target);
  await prepare(source);
  writeFileSync(target.fileOf(`${FOLDER}/authorized_keys`), await source.run(['cat', `${FOLDER}/key.pub`]));
  const sshd = ['/usr/sbin/sshd', '-D', '-f', `${FOLDER}/sshd_config`];
  target.start(sshd, `${FOLDER}/log`);
  await openForward(source, target);
  return {
    sourcePort: SOURCE_PORT,
    targetPort: TARGET_PORT,
    close: async () => {
      await source.run(['ssh', '-S', `${FOLDER}/control`, '-O', 'exit', 'target']).catch(() => '');
      await target.run(['bash', '-c', `kill "$(cat ${FOLDER}/sshd.pid)"`]);
    },
  };
}

async function prepare(node: BenchNode): Promise<void> {
  const folder = node.fileOf(FOLDER);
  await run(['rm', '-rf', folder]);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  for (const key of ['key', 'host_key']) await node.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${FOLDER}/${key}`]);
  const config = {
    Port: SSHD_PORT,
    ListenAddress: node.migrationAddress,
    HostKey: `${FOLDER}/host_key`,
    PidFile: `${FOLDER}/sshd.pid`,
    AuthorizedKeysFile: `${FOLDER}/authorized_keys`,
    StrictModes: 'no',
    PermitRootLogin: 'prohibit-password',
    UsePAM: 'no',
  };
  writeFileSync(
    `${folder}/sshd_config`,
    Object.entries(config)
      .map(([key, value]) => `${key} ${value}\n`)
      .join(''),
  );
}

/** Starts `ssh -L` again until it stands: sshd needs a moment before it listens. */
async function openForward(source: BenchNode, target: BenchNode): Promise<void> {
  const command = [
    'ssh',
    ...['-N', '-M', '-S', `${FOLDER}/control`, '-i', `${FOLDER}/key`, '-p', String(SSHD_PORT)],
    ...[
      'BatchMode=yes',
      'StrictHostKeyChecking=no',
      'UserKnownHostsFile=/dev/null',
      'LogLevel=ERROR',
      'ExitOnForwardFailure=yes',
      'ConnectionAttempts=20',
    ].flatMap((option) => ['-o', option]),
    ...['-L', `127.0.0.1:${SOURCE_PORT}:127.0.0.1:${TARGET_PORT}`, `root@${target.migrationAddress}`],
  ];
  source.start(command, `${FOLDER}/log`);
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if ((await source.run(['ss', '-Hltn'])).includes(`127.0.0.1:${SOURCE_PORT} `)) return;
    await sleep(100);
  }
  throw new KedgeError('lab-failed', `Cannot open an ssh tunnel from ${source.name} to ${target.name}: ${await source.run(['cat', `${FOLDER}/log`])}`);
}
