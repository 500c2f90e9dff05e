import { describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { parseKnownHosts, printKnownHosts } from '../../../../src/drivers/ssh/known-hosts.js';

const key = 'AAAAC3NzaC1lZDI1NTE5AAAAIExample0000000000000000000000000000000000';

describe('known hosts', () => {
  it('reads back what it prints', () => {
    const keys = [
      { node: parseNodeName('node1'), type: 'ssh-ed25519', key },
      { node: parseNodeName('node2'), type: 'ecdsa-sha2-nistp256', key: 'AAAA==' },
    ];
    expect(parseKnownHosts(printKnownHosts(keys), 'known_hosts')).toEqual(keys);
  });

  it('skips comments and blank lines and drops what follows the key', () => {
    expect(parseKnownHosts(`# cluster lab\n\n  node1 ssh-ed25519 ${key} root@node1\n`, 'f')).toEqual([{ node: 'node1', type: 'ssh-ed25519', key }]);
  });

  it.each([
    ['a list of hosts', `node1,10.0.0.1 ssh-ed25519 ${key}`],
    ['a hashed host', `|1|abc|def ssh-ed25519 ${key}`],
    ['a marker', `@revoked node1 ssh-ed25519 ${key}`],
    ['a missing key', 'node1 ssh-ed25519'],
    ['a key that is no base64', 'node1 ssh-ed25519 !!!'],
  ])('refuses %s, naming file and line', (_what, line) => {
    expect(() => parseKnownHosts(`# first\n${line}\n`, '/etc/kedge/ssh/known_hosts')).toThrow(
      expect.objectContaining({ code: 'bad-config', details: { file: '/etc/kedge/ssh/known_hosts', line: 2 } }),
    );
  });
});
