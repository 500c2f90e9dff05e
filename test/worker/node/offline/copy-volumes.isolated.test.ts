import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { StepRef } from '../../../../activities/interface.js';
import { guestRunFolder } from '../../../../src/config/paths.js';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../../src/domain/migration.js';
import { runFiles } from '../../../../src/drivers/qemu/run-files.js';
import { scanQemu } from '../../../../src/drivers/qemu/scan-qemu.js';
import { runRsync } from '../../../../src/drivers/rsync/run-rsync.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { copyVolumes } from '../../../../worker/node/offline/copy-volumes.js';
import { configuredNode } from '../../../support/configured-node.js';
import { directChannel } from '../../../support/direct-channel.js';
import { receivingNode, stepOf, VMID, type ReceivingNode } from '../../../support/receiving-node.js';

vi.mock('../../../../src/drivers/qemu/scan-qemu.js', () => ({ scanQemu: vi.fn(() => []) }));
vi.mock('../../../../src/drivers/rsync/run-rsync.js', () => ({ runRsync: vi.fn() }));
vi.mock('../../../../src/drivers/rsync/probe-rsync.js', () => ({ probeRsync: () => Promise.resolve({ version: '3.2.7', compression: [] }) }));

const SOURCE = parseNodeName('node2');
const TARGET = parseNodeName('node1');
const DONE = { filesTransferred: 0, totalFileBytes: 0, literalBytes: 0, matchedBytes: 0, sentBytes: 0, receivedBytes: 0, durationMs: 1 };
let target: ReceivingNode;
let source: NodeContext;
let remove: () => void;
let sequence = 0;
beforeEach(async () => {
  target = await receivingNode();
  const made = await configuredNode({ 'node.yaml': 'name: node2\n', 'storage.cfg': 'dir: local\n\tpath /srv/local\n\tcontent images\n' });
  remove = made.remove;
  const channel = directChannel({ from: SOURCE, to: () => target.node, cuts: new Map() });
  source = { ...made.node, peers: { channel: () => Promise.resolve(channel), migrationAddress: () => '127.0.0.1' } };
  const base = { vmid: VMID, kind: 'qemu', generation: stepOf(1).generation, wanted: 'stopped', bootId: source.bootId } as const;
  await source.records.write({ ...base, state: 'releasing', migrationId: stepOf(2).migrationId, peer: TARGET, mode: 'offline' });
  vi.mocked(runRsync).mockReset().mockResolvedValue(DONE);
});
afterEach(() => {
  target.remove();
  remove();
});

interface Run {
  readonly args: readonly string[];
  readonly stallTimeoutMs: number | undefined;
}

/** One pass over an image and a tree: what both rsyncs are told, and how long each may stand still. */
async function pass(how: { readonly final: boolean; readonly thorough?: boolean }, targetRsync = '3.4.1'): Promise<{ readonly file: Run; readonly tree: Run }> {
  await target.prepare(2);
  const rsync = { version: targetRsync, compression: ['zstd', 'lz4'] };
  const prepared = { rsync, volumes: (await target.node.volumes.of(VMID, stepOf(2).migrationId)).volumes };
  const step: StepRef = { ...stepOf(2), sequence: (sequence += 1) };
  const call = { attempt: 1, signal: new AbortController().signal, report: () => undefined };
  await copyVolumes(source, { step, target: TARGET, options: DEFAULT_MIGRATION_OPTIONS, prepared, ...how, ...call });
  const runOf = (isTree: boolean): Run => {
    const run = vi
      .mocked(runRsync)
      .mock.calls.map(([one]) => one)
      .find(({ args }) => args.includes('--archive') === isTree);
    return { args: run?.args ?? [], stallTimeoutMs: run?.stallTimeoutMs };
  };
  return { file: runOf(false), tree: runOf(true) };
}

/** A running guest, claimed, of which a pass of a minute finds a gigabyte anew. */
async function busyGuest(): Promise<void> {
  const base = { vmid: VMID, kind: 'qemu', generation: stepOf(1).generation, wanted: 'running', bootId: source.bootId } as const;
  await source.records.write({ ...base, state: 'owned', migrationId: stepOf(2).migrationId, peer: TARGET, mode: 'offline' });
  let deltaBytes = 2 ** 40;
  vi.mocked(runRsync).mockImplementation(() => Promise.resolve({ ...DONE, literalBytes: (deltaBytes /= 2) }));
  vi.spyOn(performance, 'now').mockImplementation(() => (clockMs += 60_000));
}
let clockMs = 0;

describe('the passes before the shutdown', () => {
  afterEach(() => {
    vi.mocked(scanQemu).mockReturnValue([]);
    vi.restoreAllMocks();
  });

  test('go on while the guest runs and each finds much less', async () => {
    await busyGuest();
    const { pidFile } = runFiles(guestRunFolder(source.paths, VMID));
    vi.mocked(scanQemu).mockReturnValue([{ pid: 4711, startTime: 1, vmid: VMID, pidFile, command: [], incoming: false }]);
    await pass({ final: false });
    expect(vi.mocked(runRsync).mock.calls.length).toBeGreaterThan(4);
  });

  test('end when the guest is off: it writes no more, and its time off has begun', async () => {
    await busyGuest();
    await pass({ final: false });
    expect(runRsync).toHaveBeenCalledTimes(2);
  });
});

describe('a pass over the volumes', () => {
  test.each([{ final: false }, { final: true }])('takes files of a tree for equal by size and time, an image by nothing: %j', async (how) => {
    const { file, tree } = await pass(how);
    expect(tree.args).not.toContain('--checksum');
    expect(file.args).toContain('--ignore-times');
    expect([file.stallTimeoutMs, tree.stallTimeoutMs]).toEqual([undefined, undefined]);
  });

  test('after a copy was found to differ compares what the files of a tree hold, and bears the silence meanwhile', async () => {
    const { file, tree } = await pass({ final: true, thorough: true });
    expect(tree.args).toContain('--checksum');
    expect(file.args).not.toContain('--checksum');
    expect([file.stallTimeoutMs, tree.stallTimeoutMs]).toEqual([undefined, 3_600_000]);
  });

  test.each([
    ['3.2.7', false, '--sparse'],
    ['3.2.7', true, '--no-sparse'],
    ['3.3.0', true, '--sparse'],
  ])(
    'to an rsync %s, after a copy was found to differ: %s, tells it %s: the older ones leave what an image ended with',
    async (version, thorough, expected) => {
      const { file } = await pass({ final: true, thorough }, version);
      expect(file.args.filter((arg) => arg.endsWith('sparse'))).toEqual([expected]);
    },
  );
});
