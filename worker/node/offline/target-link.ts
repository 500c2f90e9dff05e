import { knownHostsFile, sshKeyFile } from '../../../src/config/paths.js';
import type { NodeName } from '../../../src/domain/ids.js';
import type { PeerOperation, PeerOperations } from '../../../src/drivers/peer/protocol.js';
import { chooseCompression, type Compression } from '../../../src/drivers/rsync/choose-compression.js';
import { probeRsync } from '../../../src/drivers/rsync/probe-rsync.js';
import { sshArguments, type SshTarget } from '../../../src/drivers/ssh/ssh-arguments.js';
import type { NodeContext } from '../node-context.js';

/** The target, as the copy of disks reaches it: its worker for words, its sshd on the migration network for bytes. */
export class TargetLink {
  readonly #node: NodeContext;
  readonly #target: NodeName;
  readonly #network: string | null;
  #compression: Promise<Compression> | null = null;

  /** `network`: that of the migration's options; who only has words for the target may leave it out. */
  constructor(node: NodeContext, target: NodeName, network: string | null = null) {
    this.#node = node;
    this.#target = target;
    this.#network = network;
  }

  async call<Op extends PeerOperation>(op: Op, args: PeerOperations[Op]['args'], timeoutMs: number): Promise<PeerOperations[Op]['answer']> {
    const channel = await this.#node.peers.channel(this.#target);
    return channel.call(op, args, { timeoutMs });
  }

  get remoteShell(): readonly string[] {
    return sshArguments(this.#sshTarget());
  }

  /** What both ends can do; asked once. */
  compression(linkBytesPerSecond: number | null): Promise<Compression> {
    this.#compression ??= Promise.all([probeRsync(), probeRsync(this.#sshTarget())]).then(([ours, theirs]) =>
      chooseCompression({ ours: ours.compression, theirs: theirs.compression, linkBytesPerSecond }),
    );
    return this.#compression;
  }

  #sshTarget(): SshTarget {
    const { paths, peers } = this.#node;
    const address = peers.migrationAddress(this.#target, this.#network);
    return { node: this.#target, address, privateKeyFile: sshKeyFile(paths), knownHostsFile: knownHostsFile(paths) };
  }
}
