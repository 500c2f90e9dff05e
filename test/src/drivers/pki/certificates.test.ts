import { X509Certificate } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { createAuthority } from '../../../../src/drivers/pki/create-authority.js';
import { createSshKey } from '../../../../src/drivers/pki/create-ssh-key.js';
import { issueNodeCertificate } from '../../../../src/drivers/pki/issue-node-certificate.js';
import { readCertificate } from '../../../../src/drivers/pki/read-certificate.js';

const DAY_MS = 24 * 60 * 60 * 1000;
const node = parseNodeName('node1');
let root: string;
let authority: string;
let folder: string;

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'kedge-pki-test-'));
  authority = join(root, 'authority');
  folder = join(root, 'node1');
  await createAuthority(authority, { cluster: 'lab' });
  await issueNodeCertificate({ authority, node, addresses: ['10.90.0.11', 'fd00::11', 'node1.example.org'], folder });
});
afterAll(() => rm(root, { recursive: true }));

const certificate = async (file: string) => new X509Certificate(await readFile(file));

describe('createAuthority', () => {
  it('makes an authority that signs itself, with its key for its owner alone', async () => {
    const own = await certificate(join(authority, 'ca-cert.pem'));
    expect(own.ca).toBe(true);
    expect(own.verify(own.publicKey)).toBe(true);
    expect(own.subject).toBe('O=Kedge\nCN=lab authority');
    expect((await stat(join(authority, 'ca-key.pem'))).mode & 0o777).toBe(0o600);
    expect((await readdir(authority)).sort()).toEqual(['ca-cert.pem', 'ca-key.pem']);
  });

  it('never replaces one', async () => {
    await expect(createAuthority(authority, { cluster: 'lab' })).rejects.toMatchObject({ code: 'already-exists' });
  });
});

describe('issueNodeCertificate', () => {
  it("writes QEMU's five files, for their owner alone", async () => {
    expect((await readdir(folder)).sort()).toEqual(['ca-cert.pem', 'client-cert.pem', 'client-key.pem', 'server-cert.pem', 'server-key.pem']);
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['server', '1.3.6.1.5.5.7.3.1'],
    ['client', '1.3.6.1.5.5.7.3.2'],
  ])('signs the %s certificate for its one purpose', async (role, purpose) => {
    const own = await certificate(join(folder, `${role}-cert.pem`));
    const signer = await certificate(join(authority, 'ca-cert.pem'));
    expect(own.verify(signer.publicKey)).toBe(true);
    expect(own.keyUsage).toEqual([purpose]);
    expect(own.subject).toBe('O=Kedge\nCN=node1');
    expect(own.ca).toBe(false);
    expect(own.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
  });

  it('names the node and all its addresses', async () => {
    const own = await certificate(join(folder, 'server-cert.pem'));
    expect(own.checkHost('node1')).toBe('node1');
    expect(own.checkHost('node1.example.org')).toBe('node1.example.org');
    expect(own.checkIP('10.90.0.11')).toBe('10.90.0.11');
    expect(own.checkIP('fd00::11')).toBe('fd00::11');
    expect(own.checkHost('node2')).toBeUndefined();
  });

  it('is valid for nodes whose clock is hours behind', async () => {
    const own = await certificate(join(folder, 'server-cert.pem'));
    expect(new Date(own.validFrom).getTime()).toBeLessThan(Date.now() - DAY_MS / 2);
    expect(new Date(own.validTo).getTime()).toBeGreaterThan(Date.now() + 1_800 * DAY_MS);
  });

  it('renews by issuing again', async () => {
    const renewed = join(root, 'renewed');
    const order = { authority, node, addresses: [], folder: renewed };
    await issueNodeCertificate(order);
    const before = await readCertificate(join(renewed, 'server-cert.pem'));
    await issueNodeCertificate(order);
    expect((await readCertificate(join(renewed, 'server-cert.pem'))).fingerprint).not.toBe(before.fingerprint);
  });

  it.each(['10.0.0.1,DNS:evil', 'a b', '', 'x\nnsComment=y'])('refuses the address %j and writes nothing', async (address) => {
    const refused = join(root, 'refused');
    await expect(issueNodeCertificate({ authority, node, addresses: [address], folder: refused })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(stat(refused)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says not-found without an authority', async () => {
    await expect(issueNodeCertificate({ authority: root, node, addresses: [], folder })).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('readCertificate', () => {
  it('tells what an operator wants to know', async () => {
    const facts = await readCertificate(join(folder, 'client-cert.pem'));
    expect(facts).toMatchObject({ commonName: 'node1', issuer: 'lab authority', names: ['node1', '10.90.0.11', 'FD00:0:0:0:0:0:0:11', 'node1.example.org'] });
    expect(facts.fingerprint).toMatch(/^[0-9A-F]{2}(:[0-9A-F]{2}){31}$/);
  });

  it('refuses a file that is no certificate', async () => {
    await writeFile(join(root, 'junk.pem'), 'junk');
    await expect(readCertificate(join(root, 'junk.pem'))).rejects.toMatchObject({ code: 'bad-config' });
    await expect(readCertificate(join(root, 'missing.pem'))).rejects.toMatchObject({ code: 'not-found' });
  });
});

describe('createSshKey', () => {
  it('makes an ed25519 key with its comment, for its owner alone, once', async () => {
    const file = join(root, 'ssh', 'id_ed25519');
    expect(await createSshKey(file, 'kedge node1')).toMatch(/^ssh-ed25519 [A-Za-z0-9+/]+ kedge node1$/);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(createSshKey(file, 'again')).rejects.toMatchObject({ code: 'already-exists' });
  });
});
