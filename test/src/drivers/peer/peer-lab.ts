import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { errnoOf } from '../../../../src/drivers/host/storage-error.js';
import { authorizedPeerKey } from '../../../../src/drivers/ssh/authorized-keys.js';
import type { PeerTarget } from '../../../../src/drivers/peer/open-peer-channel.js';

/** A real sshd on a loopback port whose one authorized key runs the real relay for `node1`. */
export interface PeerLab {
  readonly folder: string;
  readonly socketFile: string;
  readonly target: PeerTarget;
  /** Kills sshd and every process of its connections, as a dying node would. */
  killSshd(): Promise<void>;
  remove(): Promise<void>;
}

export interface PeerLabPlace {
  /** Default: a free port of 127.0.0.1. */
  readonly listen?: { readonly address: string; readonly port: number };
  /** Where the relay looks for the worker's socket and its grants; default: the lab's folder. */
  readonly run?: string;
}

/** Builds keys, configuration and relay below a temporary folder and starts sshd as a child. */
export async function startPeerLab(place: PeerLabPlace = {}): Promise<PeerLab> {
  const folder = mkdtempSync(join(tmpdir(), 'kedge-peer-'));
  for (const name of ['host', 'client']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', join(folder, name)]);
  const [type = '', key = ''] = readFileSync(join(folder, 'host.pub'), 'utf8').split(' ');
  writeFileSync(join(folder, 'known_hosts'), `node2 ${type} ${key}\n`);
  const relay = join(folder, 'peer-relay.mjs');
  await build({ entryPoints: ['src/cli/peer-relay.ts'], outfile: relay, bundle: true, platform: 'node', format: 'esm', logLevel: 'error' });
  const program = ['/usr/bin/env', `KEDGE_RUN=${place.run ?? folder}`, process.execPath, relay];
  const publicKey = readFileSync(join(folder, 'client.pub'), 'utf8');
  writeFileSync(join(folder, 'authorized_keys'), authorizedPeerKey({ node: parseNodeName('node1'), publicKey, program }));
  const listen = place.listen ?? { address: '127.0.0.1', port: await freePort() };
  const sshd = await startSshd(folder, listen);
  return {
    folder,
    socketFile: join(folder, 'peer.sock'),
    target: {
      node: parseNodeName('node2'),
      ...listen,
      privateKeyFile: join(folder, 'client'),
      knownHostsFile: join(folder, 'known_hosts'),
      timeoutMs: 5_000,
    },
    killSshd: () => killTree(sshd),
    async remove() {
      await killTree(sshd);
      rmSync(folder, { recursive: true });
    },
  };
}

async function startSshd(folder: string, { address, port }: { address: string; port: number }): Promise<ChildProcess> {
  // Debian's sshd insists on its empty folder; systemd would make it.
  mkdirSync('/run/sshd', { recursive: true });
  const settings = [
    `ListenAddress ${address}:${port}`,
    `HostKey ${join(folder, 'host')}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'PermitRootLogin forced-commands-only',
    'PidFile none',
    // bash reads start-up files for sshd: what root has there is no part of a test, and may leave locks when it is killed.
    `SetEnv HOME=${folder}`,
  ];
  writeFileSync(join(folder, 'sshd_config'), `${settings.join('\n')}\n`);
  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  const listening = new Promise<void>((resolve, reject) => {
    sshd.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString('utf8');
      if (log.includes('Server listening')) resolve();
    });
    sshd.once('exit', () => reject(new Error(`sshd ended: ${log}`)));
  });
  await listening;
  return sshd;
}

async function killTree(root: ChildProcess): Promise<void> {
  if (root.pid === undefined || root.exitCode !== null || root.signalCode !== null) return;
  const ended = once(root, 'exit');
  for (const pid of descendants(root.pid)) killIfThere(pid);
  root.kill('SIGKILL');
  await ended;
}

/** Processes of closing connections end by themselves at any time, between being listed and being killed too. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (errnoOf(error) !== 'ESRCH') throw error;
  }
}

function descendants(pid: number): readonly number[] {
  return childrenOf(pid).flatMap((child) => [...descendants(child), child]);
}

function childrenOf(pid: number): readonly number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('No port');
  return address.port;
}
