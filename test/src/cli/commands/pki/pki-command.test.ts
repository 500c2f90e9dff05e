import { mkdtemp, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CliContext } from '../../../../../src/cli/cli-context.js';
import { pkiCommand } from '../../../../../src/cli/commands/pki/pki-command.js';

let etc: string;
beforeEach(async () => {
  etc = await mkdtemp(join(tmpdir(), 'kedge-pki-cli-'));
});
afterEach(() => rm(etc, { recursive: true }));

async function run(...argv: readonly string[]): Promise<string> {
  let out = '';
  const context: CliContext = {
    out: (text) => (out += text),
    err: () => undefined,
    terminal: { out: false, err: false, columns: 80 },
    environment: { KEDGE_ETC: etc, KEDGE_LAB_ROOT: join(etc, 'no-labs') },
    now: () => Date.now(),
    openCluster: () => Promise.reject(new Error('pki needs no cluster')),
    onInterrupt: () => () => undefined,
    setExitCode: () => undefined,
  };
  await pkiCommand(context).parseAsync([...argv], { from: 'user' });
  return out;
}

describe('kedge pki', () => {
  it('makes an authority once, issues for a node of kedge.yaml, and shows all', async () => {
    await writeFile(join(etc, 'kedge.yaml'), 'cluster: lab\nnodes:\n  node1: { address: 10.90.0.11, migrationAddress: 10.90.1.11 }\n');
    expect(await run('init', '--cluster', 'lab')).toContain(join(etc, 'authority'));
    await expect(run('init')).rejects.toMatchObject({ code: 'already-exists' });
    expect(await run('issue', 'node1')).toContain('10.90.0.11, 10.90.1.11');
    expect(await readdir(join(etc, 'authority', 'nodes', 'node1'))).toHaveLength(5);
    const text = await run('show');
    expect(text).toContain('for node1 (node1, 10.90.0.11, 10.90.1.11), by lab authority');
    expect(text).toMatch(/182\d days left/);
  });

  it('takes addresses and a folder from the command line, without any kedge.yaml', async () => {
    await run('init');
    const output = join(etc, 'pki');
    const answer: unknown = JSON.parse(await run('issue', 'node7', '--address', '10.0.0.7', '--output', output, '--json'));
    expect(answer).toEqual({ node: 'node7', addresses: ['10.0.0.7'], folder: output });
    expect(await run('show', '--json')).toContain('"commonName": "node7"');
  });

  it('refuses a node that kedge.yaml does not have', async () => {
    await run('init');
    await writeFile(join(etc, 'kedge.yaml'), 'cluster: lab\nnodes: {}\n');
    await expect(run('issue', 'node1')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('says how to begin where there is nothing, and names a broken certificate', async () => {
    expect(await run('show')).toContain('kedge pki init');
    await mkdir(join(etc, 'pki'));
    await writeFile(join(etc, 'pki', 'server-cert.pem'), 'junk');
    await expect(run('show')).rejects.toMatchObject({ code: 'bad-config' });
  });
});
