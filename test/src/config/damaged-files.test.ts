import { fc, test as property } from '@fast-check/vitest';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseYaml } from '../../../src/config/load-yaml.js';
import { isErrorCode } from '../../../src/domain/error-codes.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { parseGrant, printGrant } from '../../../src/drivers/rsync/grant-format.js';
import { parseKnownHosts } from '../../../src/drivers/ssh/known-hosts.js';
import { parseNodeName } from '../../../src/domain/ids.js';
import { claimsSchema } from '../../../src/schema/claims.js';
import { clusterConfigSchema } from '../../../src/schema/cluster-config.js';
import { parseContainerConfig } from '../../../src/schema/container-config.js';
import { parseDatacenterConfig } from '../../../src/schema/datacenter-config.js';
import { parseGuestConfig } from '../../../src/schema/guest-config.js';
import { nodeConfigSchema } from '../../../src/schema/node-config.js';
import { parseStorageConfig } from '../../../src/schema/storage-config.js';
import { flipsOf, prefixesOf } from '../../support/damage.js';

const FIXTURES = 'test/src/schema/fixtures';
const GRANT = { token: '0123456789abcdef0123456789abcdef', peer: parseNodeName('node1'), kind: 'file', path: '/srv/images/101/.incoming-101-2-x' } as const;
const CLUSTER = `cluster: c1
temporal: { address: "10.0.0.1:7233", namespace: kedge }
nodes:
  node1: { address: 10.0.0.2, migrationAddress: "fd00::2" }
migration: { type: secure, maxDowntimeMs: 300 }
`;

/** Each file that an operator, PVE or Kedge itself writes, with who reads it. */
const READERS: Readonly<Record<string, (text: string) => unknown>> = {
  vm: parseGuestConfig,
  ct: parseContainerConfig,
  storage: parseStorageConfig,
  datacenter: parseDatacenterConfig,
};
const FILES: readonly (readonly [string, string, (text: string) => unknown])[] = [
  ...Object.entries(READERS).flatMap(([folder, read]) =>
    readdirSync(join(FIXTURES, folder)).map((name) => [`${folder}/${name}`, readFileSync(join(FIXTURES, folder, name), 'utf8'), read] as const),
  ),
  ['kedge.yaml', CLUSTER, (text) => parseYaml(text, { file: 'kedge.yaml', schema: clusterConfigSchema })],
  ['node.yaml', 'name: node1\nslots: { bulk: 3 }\nmemoryBytes: 4096\n', (text) => parseYaml(text, { file: 'node.yaml', schema: nodeConfigSchema })],
  ['claims.yaml', 'qemu: 6.2.0\nkedgeProtocol: 0\nbridges: [vmbr0]\n', (text) => parseYaml(text, { file: 'claims.yaml', schema: claimsSchema })],
  ['known_hosts', '# pinned\nnode1 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA comment\n', (text) => parseKnownHosts(text, 'known_hosts')],
  ['a grant', printGrant(GRANT), parseGrant],
];

/** Reads a damaged text: what is not read must be refused by a code of the table, in words. */
function refusalOf(read: (text: string) => unknown, text: string): string | null {
  try {
    read(text);
    return null;
  } catch (error) {
    if (!(error instanceof KedgeError) || !isErrorCode(error.code) || !error.message.startsWith('Cannot ')) throw error;
    return error.code;
  }
}

describe.each(FILES)('%s', (_name, text, read) => {
  test('is read as it is', () => {
    expect(refusalOf(read, text)).toBeNull();
  });

  test('is read or refused in words, wherever it was cut off', () => {
    for (const prefix of prefixesOf(text)) expect([null, 'bad-config', 'bad-input']).toContain(refusalOf(read, prefix));
  });

  test('is read or refused in words, whichever bit has changed', () => {
    // Every bit of a short file; of a long one every seventh, which meets each bit of a byte in turn.
    const flips = flipsOf(text);
    const some = flips.length > 2_000 ? flips.filter((_, index) => index % 7 === 0) : flips;
    for (const flip of some) expect([null, 'bad-config', 'bad-input']).toContain(refusalOf(read, flip));
  });
});

describe('kedge.yaml', () => {
  const read = FILES.find(([name]) => name === 'kedge.yaml')![2];

  property.prop([
    fc
      .array(fc.constantFrom('cluster', ': ', '\n', ' ', '- ', '{', '}', '*a', '&a ', '"', "'", '!!js ', '|', 'nodes', '__proto__', '<<'))
      .map((parts) => parts.join('')),
  ])('made of pieces of YAML is read or refused in words', (text) => {
    expect([null, 'bad-config', 'bad-input']).toContain(refusalOf(read, text));
  });

  test('takes no key but a word', () => {
    for (const key of ['{ <<- }', '[a]', '? { a: 1 }\n', '&a [b]', '{ x: [y] }']) expect(refusalOf(read, `cluster: c1\n${key}: 1\n`), key).toBe('bad-config');
    expect(refusalOf(read, 'cluster: &a c1\n*a : 1\n')).toBe('bad-config');
  });

  test('takes no address that a program would read as an option', () => {
    for (const address of ['-oProxyCommand=id', '--rsync-path=id', '.x', 'a b', 'a;b']) {
      expect(refusalOf(read, `cluster: c1\nnodes: { node1: { address: "${address}" } }\n`), address).toBe('bad-config');
    }
    for (const address of ['10.0.0.1', 'fd00::2', '::1', 'node1.example']) {
      expect(refusalOf(read, `cluster: c1\nnodes: { node1: { address: "${address}" } }\n`), address).toBeNull();
    }
  });
});

describe('a grant', () => {
  test('with one bit changed never lets anybody write beside a plain absolute path', () => {
    for (const flip of flipsOf(printGrant(GRANT))) {
      if (refusalOf(parseGrant, flip) !== null) continue;
      expect(parseGrant(flip).path).toMatch(/^\/(?!.*(?:^|\/)\.{1,2}(?:\/|$))/);
    }
  });
});
