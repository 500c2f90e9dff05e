import { migrationAddress } from '../../../src/config/migration-address.js';
import { knownHostsFile, sshKeyFile, type KedgePaths } from '../../../src/config/paths.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { openPeerChannel, type PeerChannel } from '../../../src/drivers/peer/open-peer-channel.js';
import type { ClusterConfig } from '../../../src/schema/cluster-config.js';

const CONNECT_TIMEOUT_MS = 5_000;

/** The other nodes, as the code of one node reaches them. */
export interface Peers {
  /**
   * The channel to a node's worker.
   * @throws KedgeError `not-found` for a node that the cluster doesn't know, `peer-unreachable`, `peer-untrusted`
   */
  channel(node: NodeName): Promise<PeerChannel>;
  /**
   * Address of a node on the migration network, where its QEMU listens; `network`: that of a migration's options.
   * @throws KedgeError `not-found`, `bad-input` when the node has no address in that network
   */
  migrationAddress(node: NodeName, network: string | null): string;
}

/** Channels to the other node workers, one per node, opened on first use and kept; a closed one is opened anew. */
export class PeerDirectory implements Peers {
  readonly #paths: KedgePaths;
  readonly #cluster: ClusterConfig;
  readonly #channels = new Map<NodeName, Promise<PeerChannel>>();

  constructor(paths: KedgePaths, cluster: ClusterConfig) {
    this.#paths = paths;
    this.#cluster = cluster;
  }

  async channel(node: NodeName): Promise<PeerChannel> {
    const present = this.#channels.get(node);
    if (present !== undefined) return present;
    const opening = this.#open(node);
    this.#channels.set(node, opening);
    const forget = (): void => {
      if (this.#channels.get(node) === opening) this.#channels.delete(node);
    };
    opening.then((channel) => channel.closed.then(forget, forget), forget);
    return opening;
  }

  migrationAddress(node: NodeName, network: string | null): string {
    return migrationAddress(this.#cluster.nodes, { node, network });
  }

  async closeAll(): Promise<void> {
    const channels = [...this.#channels.values()];
    this.#channels.clear();
    for (const opening of channels) {
      await opening.then(
        (channel) => {
          channel.close();
        },
        () => undefined,
      );
    }
  }

  async #open(node: NodeName): Promise<PeerChannel> {
    return openPeerChannel({
      node,
      address: this.#entry(node).address,
      privateKeyFile: sshKeyFile(this.#paths),
      knownHostsFile: knownHostsFile(this.#paths),
      timeoutMs: CONNECT_TIMEOUT_MS,
    });
  }

  #entry(node: NodeName): ClusterConfig['nodes'][string] {
    const entry = this.#cluster.nodes[node];
    if (entry === undefined) {
      throw new KedgeError('not-found', `Cannot reach node ${node}: the cluster has ${Object.keys(this.#cluster.nodes).join(', ')}`);
    }
    return entry;
  }
}
