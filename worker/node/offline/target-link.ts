import { knownHostsFile, sshKeyFile } from '../../../src/config/paths.js';
import { isErrorCode } from '../../../src/domain/error-codes.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { greetPeer } from '../../../src/drivers/peer/compare-protocol.js';
import type { PeerChannel } from '../../../src/drivers/peer/peer-channel.js';
import type { PeerOperation, PeerOperations } from '../../../src/drivers/peer/protocol.js';
import { sshArguments, type SshTarget } from '../../../src/drivers/ssh/ssh-arguments.js';
import type { NodeContext } from '../node-context.js';

/** What ends a hand-over that has begun: it means the same in every version, and must not wait for an update. */
const ANY_VERSION: readonly PeerOperation[] = ['hello', 'observe', 'go', 'revoke', 'settle'];

/** The target, as the copy of disks reaches it: its worker for words, its sshd on the migration network for bytes. */
export class TargetLink {
  readonly #node: NodeContext;
  readonly #target: NodeName;
  readonly #network: string | null;
  /** The channel whose worker was asked what it speaks: one that is opened later may be another worker's. */
  #greeted: PeerChannel | null = null;

  /** `network`: that of the migration's options; who only has words for the target may leave it out. */
  constructor(node: NodeContext, target: NodeName, network: string | null = null) {
    this.#node = node;
    this.#target = target;
    this.#network = network;
  }

  /** @throws KedgeError as the target said it; `protocol-mismatch` before anything is asked; `peer-refused` when its record forbids it; `peer-unreachable`, `cancelled` */
  async call<Op extends PeerOperation>(
    op: Op,
    args: PeerOperations[Op]['args'],
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<PeerOperations[Op]['answer']> {
    const channel = await this.#node.peers.channel(this.#target);
    try {
      if (!ANY_VERSION.includes(op)) await this.#greet(channel, options.timeoutMs);
      return await channel.call(op, args, options);
    } catch (error) {
      throw ownWords(error);
    }
  }

  async #greet(channel: PeerChannel, timeoutMs: number): Promise<void> {
    if (this.#greeted === channel) return;
    await greetPeer(channel, this.#node, { timeoutMs });
    this.#greeted = channel;
  }

  get remoteShell(): readonly string[] {
    return sshArguments(this.#sshTarget());
  }

  #sshTarget(): SshTarget {
    const { paths, peers } = this.#node;
    const address = peers.migrationAddress(this.#target, this.#network);
    return { node: this.#target, address, privateKeyFile: sshKeyFile(paths), knownHostsFile: knownHostsFile(paths) };
  }
}

/** What the target itself could not do (a full storage, a broken disk) is told as such, and tried again where that may help. */
function ownWords(error: unknown): unknown {
  if (!(error instanceof KedgeError) || error.code !== 'peer-refused') return error;
  const { code } = error.details;
  if (!isErrorCode(code) || code === 'peer-refused') return error;
  // Nobody here has cancelled: the target's own work was cut short.
  return new KedgeError(code === 'cancelled' ? 'outcome-unknown' : code, error.message, { cause: error, details: error.details });
}
