import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAddresses } from './address-plan.js';
import { run } from './run.js';

/** A node whose /etc/kedge is seeded. */
interface SeededNode {
  readonly name: string;
  readonly etc: string;
}

/** Gives each node its SSH keys, the pinned keys of its peers, and its certificate. */
export async function seedCredentials(nodes: readonly SeededNode[]): Promise<void> {
  const keyed = await Promise.all(
    nodes.map(async (node) => ({
      node,
      peerKey: await makeKey(join(node.etc, 'ssh', 'id_ed25519'), node.name),
      hostKey: await makeKey(join(node.etc, 'ssh', 'ssh_host_ed25519_key'), node.name),
    })),
  );
  const authorized = keyed.map(({ node, peerKey }) => `restrict,command="kedge peer --from ${node.name}" ${peerKey}`);
  const known = keyed.map(({ node, hostKey }) => `${node.name},${nodeAddresses(node.name).control},${nodeAddresses(node.name).migration} ${hostKey}`);
  for (const { etc } of nodes) {
    writeFileSync(join(etc, 'ssh', 'authorized_keys'), `${authorized.join('\n')}\n`, { mode: 0o600 });
    writeFileSync(join(etc, 'ssh', 'known_hosts'), `${known.join('\n')}\n`, { mode: 0o600 });
  }
}

async function makeKey(file: string, comment: string): Promise<string> {
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', file]);
  return readFileSync(`${file}.pub`, 'utf8').trim();
}
