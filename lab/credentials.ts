import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NodeName } from '../src/domain/ids.js';
import { createAuthority } from '../src/drivers/pki/create-authority.js';
import { createSshKey } from '../src/drivers/pki/create-ssh-key.js';
import { issueNodeCertificate } from '../src/drivers/pki/issue-node-certificate.js';
import { authorizedMaintenanceKey, authorizedPeerKey } from '../src/drivers/ssh/authorized-keys.js';
import { printKnownHosts } from '../src/drivers/ssh/known-hosts.js';
import { nodeAddresses } from './address-plan.js';
import { repositoryFolder } from './lab-folder.js';

/** A node whose /etc/kedge is seeded. */
interface SeededNode {
  readonly name: NodeName;
  readonly etc: string;
}

/**
 * Gives each node its SSH keys, the pinned host keys of its peers, and its certificate by the lab's own authority; and the control worker, whose
 * /etc/kedge is `control`, its key for the commands of maintenance windows.
 */
export async function seedCredentials(nodes: readonly SeededNode[], { authority, control }: { authority: string; control: string }): Promise<void> {
  await createAuthority(authority, { cluster: 'lab' });
  const keyed = await Promise.all(
    nodes.map(async ({ name, etc }) => {
      const addresses = nodeAddresses(name);
      const [peerKey, hostKey] = await Promise.all([
        createSshKey(join(etc, 'ssh', 'id_ed25519'), name),
        createSshKey(join(etc, 'ssh', 'ssh_host_ed25519_key'), name),
        issueNodeCertificate({ authority, node: name, addresses: [addresses.control, addresses.migration], folder: join(etc, 'pki') }),
      ]);
      return { name, peerKey, hostKey };
    }),
  );
  // Absolute paths: sshd's own PATH may not have the Node.js that we run on.
  const program = [process.execPath, join(repositoryFolder(), 'bin', 'kedge')];
  const maintenanceKey = authorizedMaintenanceKey(await createSshKey(join(control, 'ssh', 'maintenance_ed25519'), 'maintenance'));
  const authorized = keyed.map(({ name, peerKey }) => authorizedPeerKey({ node: name, publicKey: peerKey, program }));
  const known = keyed.map(({ name, hostKey }) => {
    const [type = '', key = ''] = hostKey.split(' ');
    return { node: name, type, key };
  });
  writeFileSync(join(control, 'ssh', 'known_hosts'), printKnownHosts(known), { mode: 0o600 });
  for (const { etc } of nodes) {
    writeFileSync(join(etc, 'ssh', 'authorized_keys'), [...authorized, maintenanceKey].join(''), { mode: 0o600 });
    writeFileSync(join(etc, 'ssh', 'known_hosts'), printKnownHosts(known), { mode: 0o600 });
  }
}
