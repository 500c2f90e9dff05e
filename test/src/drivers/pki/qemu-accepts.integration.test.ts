import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { createAuthority } from '../../../../src/drivers/pki/create-authority.js';
import { issueNodeCertificate } from '../../../../src/drivers/pki/issue-node-certificate.js';

let root: string;
let qemu: ChildProcess;
let port: number;

/** Folder of the certificates of `node`, signed by the authority `authority`. */
async function certify(node: string, authority: string): Promise<string> {
  const folder = join(root, authority, node);
  await issueNodeCertificate({ authority: join(root, authority), node: parseNodeName(node), addresses: ['127.0.0.1'], folder });
  return folder;
}

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kedge-pki-qemu-'));
  for (const name of ['ours', 'theirs']) await createAuthority(join(root, name), { cluster: name });
  const folder = await certify('node2', 'ours');
  qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-machine', 'none', '-nodefaults', '-display', 'none', '-qmp', 'stdio'],
      ...['-object', `tls-creds-x509,id=server,dir=${folder},endpoint=server,verify-peer=on`],
      ...['-object', `tls-creds-x509,id=client,dir=${folder},endpoint=client,verify-peer=on`],
      ...['-chardev', 'socket,id=remote,host=127.0.0.1,port=0,server=on,wait=off,tls-creds=server', '-mon', 'chardev=remote,mode=control'],
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  port = await listeningPort(qemu);
});
afterAll(async () => {
  const ended = once(qemu, 'exit');
  qemu.kill('SIGKILL');
  await ended;
  await rm(root, { recursive: true });
});

/** Asks QEMU over its standard streams which port it listens on. */
async function listeningPort(child: ChildProcess): Promise<number> {
  let text = '';
  child.stdin?.write('{"execute":"qmp_capabilities"}{"execute":"query-chardev"}\n');
  for await (const chunk of child.stdout ?? []) {
    text += String(chunk);
    const found = /tls?:127\.0\.0\.1:(\d+)|tcp:127\.0\.0\.1:(\d+)/.exec(text);
    if (found !== null) return Number(found[1] ?? found[2]);
  }
  throw new Error(`QEMU ended: ${text}`);
}

/** Connects as the sending QEMU would, and returns what the listening one says: its greeting, or why there is none. */
async function greetingFor(folder: string, expectedName = 'node2'): Promise<string> {
  const [ca, cert, key] = await Promise.all(['ca-cert.pem', 'client-cert.pem', 'client-key.pem'].map((name) => readFile(join(folder, name))));
  const socket = connect({ host: '127.0.0.1', port, ca, cert, key, servername: expectedName });
  return new Promise((resolve) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('utf8');
      socket.destroy();
    });
    socket.on('error', (error: Error) => {
      text = error.message;
    });
    socket.on('close', () => resolve(text));
  });
}

describe('certificates in QEMU', () => {
  it('serve and check the peer of the same authority', async () => {
    expect(await greetingFor(await certify('node1', 'ours'))).toContain('"QMP"');
  });

  it('keep out the node of another authority', async () => {
    const stranger = await certify('node1', 'theirs');
    // It trusts our server, so that the server is the one to refuse.

    await copyFile(join(root, 'ours', 'ca-cert.pem'), join(stranger, 'ca-cert.pem'));
    expect(await greetingFor(stranger)).not.toContain('"QMP"');
  });

  it('do not pass for another node', async () => {
    expect(await greetingFor(await certify('node1', 'ours'), 'node3')).toContain("does not match certificate's altnames");
  });
});
