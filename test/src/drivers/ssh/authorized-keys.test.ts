import { describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { authorizedPeerKey } from '../../../../src/drivers/ssh/authorized-keys.js';

const publicKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample node1\n';
const node = parseNodeName('node1');

describe('authorizedPeerKey', () => {
  it('restricts the key to the relay that names its owner', () => {
    expect(authorizedPeerKey({ node, publicKey, program: ['/usr/bin/kedge'] })).toBe(
      'restrict,command="/usr/bin/kedge peer --from node1" ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIExample node1\n',
    );
  });

  it('quotes what the login shell would take apart', () => {
    const line = authorizedPeerKey({ node, publicKey, program: ['/opt/my "new" dir/kedge', "it's"] });
    expect(line).toContain(`command="'/opt/my \\"new\\" dir/kedge' 'it'\\''s' peer --from node1"`);
  });

  it.each(['', 'ssh-dss AAAA', 'ssh-ed25519 AAAA\nssh-ed25519 BBBB', 'command="x" ssh-ed25519 AAAA', 'ssh-ed25519 !'])('refuses %j as a key', (text) => {
    expect(() => authorizedPeerKey({ node, publicKey: text, program: ['kedge'] })).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
