import { createConnection } from 'node:net';
import type { Finding } from '../../../src/domain/checks.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import type { NodeContext } from '../node-context.js';

const CALL_TIMEOUT_MS = 3_000;
const CONNECT_TIMEOUT_MS = 2_000;

/** Tests the ways to a peer: its worker over the control network, and its address on the migration network (sshd listens there too). */
export async function testPeerLink(
  node: NodeContext,
  { peer, options }: { peer: NodeName; options: Pick<MigrationOptions, 'network'> },
): Promise<readonly Finding[]> {
  const [control, migration] = await Promise.all([testControl(node, peer), testMigrationNetwork(node, { peer, network: options.network })]);
  return [...control, ...migration];
}

async function testControl(node: NodeContext, peer: NodeName): Promise<readonly Finding[]> {
  try {
    const channel = await node.peers.channel(peer);
    const { version } = await channel.call('hello', { version: node.protocolVersion, node: node.node }, { timeoutMs: CALL_TIMEOUT_MS });
    if (version === node.protocolVersion) return [];
    return [
      finding('kedge-protocol', `${peer} speaks protocol ${version} of Kedge, ${node.node} speaks ${node.protocolVersion}`, 'Update Kedge on the older node'),
    ];
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    if (error.code === 'peer-untrusted')
      return [
        finding(
          'peer-untrusted',
          `${peer} shows a host key that is not the pinned one`,
          'Check that it is the right machine; renew its key with "kedge pki" only if it was rebuilt',
        ),
      ];
    return [
      finding(
        'peer-unreachable',
        `${node.node} can't reach the worker of ${peer}: ${error.message}`,
        'Check the control network, sshd and the node worker there',
      ),
    ];
  }
}

async function testMigrationNetwork(node: NodeContext, { peer, network }: { peer: NodeName; network: string | null }): Promise<readonly Finding[]> {
  try {
    await connectOnce(node.peers.migrationAddress(peer, network));
    return [];
  } catch (error) {
    return [
      finding(
        'migration-network',
        `${node.node} can't reach ${peer} on the migration network: ${error instanceof Error ? error.message : String(error)}`,
        'Check the migration network in this direction',
      ),
    ];
  }
}

function connectOnce(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port: 22, timeout: CONNECT_TIMEOUT_MS });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('timeout', () => {
      socket.destroy();
      reject(new Error(`no answer from ${host} in ${CONNECT_TIMEOUT_MS} ms`));
    });
    socket.once('error', reject);
  });
}

function finding(id: Finding['id'], text: string, remedy: string): Finding {
  return { id, severity: 'blocker', text, remedy };
}
