import { describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { sshArguments } from '../../../../src/drivers/ssh/ssh-arguments.js';

const target = { node: parseNodeName('node2'), address: 'fd00::2', privateKeyFile: '/etc/kedge/ssh/id_ed25519', knownHostsFile: '/etc/kedge/ssh/known_hosts' };

describe('ssh to a node', () => {
  it('trusts the key that is pinned under the name of the node, and nothing else', () => {
    expect(sshArguments(target)).toEqual(
      expect.arrayContaining(['HostKeyAlias=node2', 'HostName=fd00::2', 'StrictHostKeyChecking=yes', 'GlobalKnownHostsFile=/dev/null', 'UpdateHostKeys=no']),
    );
  });

  it('asks nobody, forwards nothing and reads no configuration', () => {
    expect(sshArguments(target)).toEqual(expect.arrayContaining(['BatchMode=yes', '-a', '-x', '-T', 'ClearAllForwardings=yes', 'IdentityAgent=none']));
    expect(sshArguments(target).join(' ')).toMatch(/^ssh -F none /);
  });

  it('notices a dead link by itself', () => {
    expect(sshArguments(target)).toEqual(expect.arrayContaining(['ServerAliveInterval=5', 'ServerAliveCountMax=3', 'ConnectTimeout=20']));
  });

  it('uses the port that it is given', () => {
    expect(sshArguments(target).join(' ')).toContain('-p 22 ');
    expect(sshArguments({ ...target, port: 2222 }).join(' ')).toContain('-p 2222 ');
  });

  it.each(['relative', '/with space', '/with%token', '/with"quote', '/x\ny'])('refuses key files at %j', (file) => {
    expect(() => sshArguments({ ...target, privateKeyFile: file })).toThrow(expect.objectContaining({ code: 'bad-config' }));
    expect(() => sshArguments({ ...target, knownHostsFile: file })).toThrow(expect.objectContaining({ code: 'bad-config' }));
  });
});
