/**
 * Two nodes on one machine for tests of the hand-over: real records, journals and QEMU, each node under its own roots; the peer
 * channel calls the other node directly and can be cut. Without Temporal, sshd and namespaces: those are the lab's part.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { guestRunFolder, storageConfigFile, type KedgePaths } from '../../src/config/paths.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid, type NodeName } from '../../src/domain/ids.js';
import type { PeerOperation } from '../../src/drivers/peer/protocol.js';
import type { Logger } from '../../src/log/logger.js';
import { killQemu } from '../../src/drivers/qemu/kill-qemu.js';
import { scanQemu } from '../../src/drivers/qemu/scan-qemu.js';
import { createNodeContext } from '../../worker/node/create-node-context.js';
import { findGuestProcess } from '../../worker/node/guests/look-at-guest.js';
import { watchGuests } from '../../worker/node/guests/watch-guests.js';
import { manageGuest } from '../../worker/node/guests/manage-guest.js';
import type { NodeContext } from '../../worker/node/node-context.js';
import { directChannel } from './direct-channel.js';

export const VMID = parseVmid(901);
export const NODE1 = parseNodeName('node1');
export const NODE2 = parseNodeName('node2');
/** The first migration of a guest that was just created under generation 1. */
export const STEP = { vmid: VMID, generation: parseGeneration(2), migrationId: migrationIdOf(VMID, parseGeneration(2)) };

const CONFIG = `name: test\nmemory: 64\nmachine: pc-q35-7.2\nvirtio0: shared:${VMID}/vm-${VMID}-disk-0.raw,size=1M\n`;

export interface TwoNodes {
  readonly source: NodeContext;
  readonly target: NodeContext;
  /** While set, calls of these operations fail as `peer-unreachable`; `lost-reply`: after the peer has acted. */
  readonly cuts: Map<PeerOperation, 'before' | 'lost-reply'>;
  /** A new worker on the same node: nothing but the files and QEMU is left of the old one. */
  restart(which: 'source' | 'target', options?: { readonly rebooted: boolean }): Promise<void>;
  /** Pids of this guest's QEMU on both nodes whose vCPUs may run, asked from QEMU itself by the caller. */
  pids(): { source: number | null; target: number | null };
  close(): Promise<void>;
}

export interface TwoNodesOptions {
  /** Config of guest 901; default: one disk on the shared storage. */
  readonly config?: string;
  /** Default true. */
  readonly start?: boolean;
  /** Of the target's sshd. */
  readonly migrationAddress?: string;
  /** Of both nodes; default: the product's. */
  readonly log?: Logger;
  /** The target's state and local storage are on a disk of this size. */
  readonly targetDiskMiB?: number;
}

/** Makes both nodes with guest 901 running on the source. */
export async function startTwoNodes(options: TwoNodesOptions = {}): Promise<TwoNodes> {
  const { config = CONFIG, start = true, migrationAddress = '127.0.0.1', targetDiskMiB = null } = options;
  const root = mkdtempSync(join(tmpdir(), 'kedge-nodes-'));
  if (targetDiskMiB !== null) {
    mkdirSync(join(root, NODE2, 'state'), { recursive: true });
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${targetDiskMiB}m`, 'kedge-test', join(root, NODE2, 'state')]);
  }
  const cuts: TwoNodes['cuts'] = new Map();
  const nodes: Record<string, NodeContext> = {};
  const stops = new Map<string, () => void>();
  const boot = async (name: NodeName, rebooted = false): Promise<NodeContext> => {
    const context = await createNodeContext(writeNode(root, name));
    const joined: NodeContext = {
      ...context,
      ...(rebooted ? { bootId: `next-${context.bootId}` } : {}),
      boot: { confirmed: !rebooted },
      ...(options.log === undefined ? {} : { log: options.log }),
      peers: peersOf(name),
    };
    nodes[name] = joined;
    stops.get(name)?.();
    stops.set(name, watchGuests(joined));
    return joined;
  };
  const nodeOf = (name: string): NodeContext => {
    const node = nodes[name];
    if (node === undefined) throw new Error(`Cannot find node ${name}`);
    return node;
  };
  const peersOf = (from: NodeName): NodeContext['peers'] => ({
    channel: (to) => Promise.resolve(directChannel({ from, to: () => nodeOf(to), cuts })),
    migrationAddress: () => migrationAddress,
  });
  await boot(NODE1);
  await boot(NODE2);
  await manageGuest(nodeOf(NODE1), { verb: 'create', vmid: VMID, config });
  if (start) await manageGuest(nodeOf(NODE1), { verb: 'start', vmid: VMID });
  return {
    get source() {
      return nodeOf(NODE1);
    },
    get target() {
      return nodeOf(NODE2);
    },
    cuts,
    async restart(which, options) {
      const name = which === 'source' ? NODE1 : NODE2;
      nodeOf(name).monitors.closeAll();
      await boot(name, options?.rebooted ?? false);
    },
    pids: () => ({ source: findGuestProcess(nodeOf(NODE1), VMID)?.pid ?? null, target: findGuestProcess(nodeOf(NODE2), VMID)?.pid ?? null }),
    async close() {
      for (const stop of stops.values()) stop();
      for (const node of Object.values(nodes)) node.monitors.closeAll();
      for (const process of scanQemu({ vmid: VMID })) if (process.pidFile?.startsWith(root) === true) await killQemu(process);
      if (targetDiskMiB !== null) execFileSync('umount', ['--lazy', join(root, NODE2, 'state')]);
      rmSync(root, { recursive: true, force: true });
    },
  };
}

function writeNode(root: string, name: NodeName): KedgePaths {
  const paths: KedgePaths = { etc: join(root, name, 'etc'), state: join(root, name, 'state'), run: join(root, name, 'run') };
  const local = join(paths.state, 'local');
  for (const folder of [paths.etc, paths.state, paths.run, local, join(root, 'shared')]) mkdirSync(folder, { recursive: true });
  writeFileSync(join(paths.run, 'boot-id'), `boot-of-${name}\n`);
  writeFileSync(join(paths.etc, 'node.yaml'), `name: ${name}\nbootIdFile: ${join(paths.run, 'boot-id')}\n`);
  writeFileSync(join(paths.etc, 'kedge.yaml'), 'cluster: test\nnodes:\n  node1: { address: 127.0.0.1 }\n  node2: { address: 127.0.0.1 }\n');
  writeFileSync(
    storageConfigFile(paths),
    `dir: shared\n\tpath ${join(root, 'shared')}\n\tcontent images\n\tshared 1\n\ndir: local\n\tpath ${local}\n\tcontent images\n`,
  );
  mkdirSync(guestRunFolder(paths, VMID), { recursive: true });
  return paths;
}
