import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { run } from '../../lab/run.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { BenchNode } from '../live/bench-node.js';

/** Where both sides keep their keys; a path of the nodes. */
export const SSH_FOLDER = '/run/kedge/raw-ssh';
export const SSHD_PORT = 2022;

/** An sshd of its own on the target's migration network, whose key the source has pinned; until it is closed. */
export interface BenchSshd {
  close(): Promise<void>;
}

/** Starts it; returns when it listens. @throws KedgeError `lab-failed` */
export async function startBenchSshd(source: BenchNode, target: BenchNode): Promise<BenchSshd> {
  await prepare(target);
  await prepare(source);
  writeFileSync(target.fileOf(`${SSH_FOLDER}/authorized_keys`), await source.run(['cat', `${SSH_FOLDER}/key.pub`]));
  const hostKey = (await target.run(['cat', `${SSH_FOLDER}/host_key.pub`])).trim();
  writeFileSync(source.fileOf(`${SSH_FOLDER}/known_hosts`), `[${target.name}]:${SSHD_PORT},${target.name} ${hostKey}\n`);
  target.start(['/usr/sbin/sshd', '-D', '-f', `${SSH_FOLDER}/sshd_config`], `${SSH_FOLDER}/log`);
  for (let attempt = 0; ; attempt += 1) {
    if ((await target.run(['ss', '-Hltn'])).includes(`${target.migrationAddress}:${SSHD_PORT} `)) break;
    if (attempt === 200) throw new KedgeError('lab-failed', `Cannot start an sshd on ${target.name}: ${await target.run(['cat', `${SSH_FOLDER}/log`])}`);
    await sleep(50);
  }
  return {
    close: async () => {
      await target.run(['bash', '-c', `kill "$(cat ${SSH_FOLDER}/sshd.pid)"`]);
    },
  };
}

async function prepare(node: BenchNode): Promise<void> {
  const folder = node.fileOf(SSH_FOLDER);
  await run(['rm', '-rf', folder]);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  chmodSync(folder, 0o700);
  for (const key of ['key', 'host_key']) await node.run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-f', `${SSH_FOLDER}/${key}`]);
  const config = {
    Port: SSHD_PORT,
    ListenAddress: node.migrationAddress,
    HostKey: `${SSH_FOLDER}/host_key`,
    PidFile: `${SSH_FOLDER}/sshd.pid`,
    AuthorizedKeysFile: `${SSH_FOLDER}/authorized_keys`,
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
