/**
 * Two nodes with an sshd at the target, for tests of the offline way: the steps as the workflow would call them, real rsync, and guest 901
 * with a raw and a qcow2 disk on the source's local storage. The qcow2 has a snapshot inside, the config its section.
 */
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { CopiedVolumes, PreparedCopy, ShutDownResult, StepRef } from '../../activities/interface.js';
import type { LongCall, NodeService } from '../../activities/node/node-service.js';
import { knownHostsFile, rsyncGrantFolder, sshKeyFile } from '../../src/config/paths.js';
import type { MovingVolume } from '../../src/domain/moving-volume.js';
import { DEFAULT_MIGRATION_OPTIONS, type MigrationOptions } from '../../src/domain/migration.js';
import type { OwnershipRecord } from '../../src/domain/ownership.js';
import { createNodeService } from '../../worker/node/create-node-service.js';
import { manageGuest } from '../../worker/node/guests/manage-guest.js';
import type { NodeContext } from '../../worker/node/node-context.js';
import { startPeerLab } from '../src/drivers/peer/peer-lab.js';
import { NODE1, NODE2, startTwoNodes, STEP, VMID, type TwoNodes, type TwoNodesOptions } from './two-nodes.js';

const MIB = 2 ** 20;
const DISK_MIB = 16;
export const RAW = `local:${VMID}/vm-${VMID}-disk-0.raw`;
export const QCOW2 = `local:${VMID}/vm-${VMID}-disk-1.qcow2`;
const DRIVES = `memory: 64\nmachine: pc-q35-7.2\nvirtio0: ${RAW},size=${DISK_MIB}M\nvirtio1: ${QCOW2},size=${DISK_MIB}M\n`;
const CONFIG = `name: test\nparent: before\n${DRIVES}\n[before]\n${DRIVES}snaptime: 1700000000\n`;

export interface OfflineNodes extends TwoNodes {
  readonly options: MigrationOptions;
  /** The steps in the workflow's order. */
  claim(): Promise<void>;
  prepare(): Promise<PreparedCopy>;
  copy(final: boolean, call?: Partial<LongCall>): Promise<CopiedVolumes>;
  shutDown(call?: Partial<LongCall>): Promise<ShutDownResult>;
  verify(call?: Partial<LongCall>): Promise<unknown>;
  handOver(attempt?: number): Promise<void>;
  startMoved(): Promise<{ startedAt: string | null }>;
  release(options?: { keep: boolean }): Promise<void>;
  /** And the undos. */
  giveBack(): Promise<void>;
  revoke(): Promise<void>;
  /** The record of a node: its state, or `none`. */
  state(which: 'source' | 'target'): Promise<OwnershipRecord['state'] | 'none'>;
  /** A volume's file on a node. */
  file(which: 'source' | 'target', volume: string): string;
  /** Everything that a migration could leave on the target but its record: names of files, below the node's roots. */
  leftOnTarget(): readonly string[];
}

export async function startOfflineNodes(options: TwoNodesOptions & { readonly migration?: Partial<MigrationOptions> } = {}): Promise<OfflineNodes> {
  // sshd's own port, which the product uses: on an address of this test alone.
  const address = `127.${randomInt(1, 250)}.${randomInt(1, 250)}.${randomInt(2, 250)}`;
  const nodes = await startTwoNodes({ config: CONFIG, migrationAddress: address, ...options, start: false });
  const lab = await startPeerLab({ listen: { address, port: 22 }, run: nodes.target.paths.run });
  const { paths } = nodes.source;
  mkdirSync(join(paths.etc, 'ssh'), { recursive: true });
  copyFileSync(lab.target.privateKeyFile, sshKeyFile(paths));
  copyFileSync(lab.target.knownHostsFile, knownHostsFile(paths));
  const migration: MigrationOptions = { ...DEFAULT_MIGRATION_OPTIONS, type: 'insecure', ...options.migration };
  const file = (which: 'source' | 'target', volume: string): string => join(localOf(nodes[which]), 'images', volume.replace(/^[^:]+:/, ''));
  fillDisks(file);
  if (options.start === true) await manageGuest(nodes.source, { verb: 'start', vmid: VMID });

  let sequence = 0;
  let claimed: { readonly config: string; readonly wanted: OwnershipRecord['wanted'] } | null = null;
  let volumes: readonly MovingVolume[] = [];
  let prepared: PreparedCopy = { volumes: [], rsync: { version: '3.4.1', compression: [] } };
  const step = (): StepRef => ({ ...STEP, sequence: (sequence += 1) });
  const on = (which: 'source' | 'target'): NodeService => createNodeService(nodes[which]);
  const long = (call: Partial<LongCall> = {}): LongCall => ({ attempt: 1, signal: new AbortController().signal, report: () => undefined, ...call });
  return {
    get source() {
      return nodes.source;
    },
    get target() {
      return nodes.target;
    },
    cuts: nodes.cuts,
    restart: (which, how) => nodes.restart(which, how),
    pids: () => nodes.pids(),
    options: migration,
    async claim() {
      const seen = await on('source').inspectSource({ vmid: VMID, target: NODE2, options: migration });
      volumes = seen.guest?.volumes ?? [];
      claimed = await on('source').claimGuest({ step: step(), target: NODE2, mode: 'offline' }, { attempt: 1 });
    },
    async prepare() {
      if (claimed === null) throw new Error('Cannot prepare before the claim');
      const { config, wanted } = claimed;
      const request = { step: step(), source: NODE1, kind: 'qemu', config, wanted, volumes, targetStorage: migration.targetStorage } as const;
      prepared = await on('target').prepareCopy(request, { attempt: 1 });
      return prepared;
    },
    copy: (final, call) => on('source').copyVolumes({ step: step(), target: NODE2, options: migration, prepared, final }, long(call)),
    shutDown: (call) => on('source').shutDownGuest({ step: step(), target: NODE2, options: migration }, long(call)),
    verify: (call) => on('source').verifyCopy({ step: step(), target: NODE2, options: migration, prepared }, long(call)),
    handOver: (attempt = 1) => on('source').handOverCopy({ step: step(), target: NODE2 }, { attempt }),
    startMoved: () => on('target').startMoved({ step: step() }, { attempt: 1 }),
    release: (how) =>
      on('source').releaseSource(
        { step: step(), target: NODE2, ...(how?.keep === true ? { volumes: [], kept: prepared.volumes } : { volumes: prepared.volumes }) },
        { attempt: 1 },
      ),
    giveBack: () => on('source').unclaimGuest({ step: step(), target: NODE2, mode: 'offline' }, { attempt: 1 }),
    revoke: async () => {
      await on('target').revokeTarget({ step: step(), source: NODE1 }, { attempt: 1 });
    },
    async state(which) {
      const view = await nodes[which].records.read(VMID);
      return view.kind === 'record' ? view.record.state : 'none';
    },
    file,
    leftOnTarget: () => {
      const { target } = nodes;
      const names = [localOf(target), rsyncGrantFolder(target.paths), join(target.paths.etc, 'qemu-server'), join(target.paths.state, 'journal')].flatMap(
        filesBelow,
      );
      // The order of the steps is no remains: it refuses older attempts.
      return names.filter((name) => !name.endsWith('.claim.json'));
    },
    close: async () => {
      await lab.remove();
      await nodes.close();
    },
  };
}

function localOf(node: NodeContext): string {
  return join(node.paths.state, 'local');
}

/** A quarter of each disk has data; the qcow2 has another quarter in its snapshot. */
function fillDisks(file: (which: 'source', volume: string) => string): void {
  const raw = file('source', RAW);
  const qcow2 = file('source', QCOW2);
  execFileSync('dd', ['if=/dev/urandom', `of=${raw}`, 'bs=1M', 'count=4', 'seek=3', 'conv=notrunc', 'status=none']);
  const io = (...commands: readonly string[]): Buffer => execFileSync('qemu-io', ['-f', 'qcow2', ...commands.flatMap((command) => ['-c', command]), qcow2]);
  io(`write -P 17 0 ${2 * MIB}`, `write -P 18 ${5 * MIB} ${2 * MIB}`);
  execFileSync('qemu-img', ['snapshot', '-c', 'before', qcow2]);
  io(`write -P 33 ${MIB} ${2 * MIB}`);
}

function filesBelow(folder: string): readonly string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => statSync(join(folder, name)).isFile() || /^images\/\d+$/.test(name));
}
