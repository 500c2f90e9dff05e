import { setTimeout as sleep } from 'node:timers/promises';
import { observerSocket as socketOf } from '../../lab/witness-place.js';
import { askGuest } from '../../lab/witness/ask-guest.js';
import { readObserverReport, resetWitness } from '../../lab/witness/read-witness.js';
import { witnessGuestConfig } from '../../lab/witness/witness-guest-config.js';
import { DEFAULT_MAX_DOWNTIME_MS } from '../../src/domain/migration.js';
import { streamLayout, type StreamLayout } from '../../src/domain/stream-layout.js';
import { readQemuFacts } from '../../src/drivers/qemu/qemu-facts.js';
import { migrateRaw, type RawTransport } from '../raw/migrate-raw.js';
import { createRawVolumes, quitRawQemu, startRawQemu, type RawGuest, type RawQemu } from '../raw/raw-guest.js';
import { openSshTunnel } from '../raw/ssh-tunnel.js';
import { rowOf, type Row, type SuiteOptions } from '../report.js';
import { withBenchLab, say, type BenchLab } from './bench-lab.js';
import { benchNode, type BenchNode } from './bench-node.js';
import { OurGuest } from './our-guest.js';
import type { SwitchTimes } from './observe-switch.js';
import { waitUntilBusy } from './wait-until-busy.js';

const MIB = 1024 ** 2;
const DIRTY_RATE = 20 * MIB;
const TIMEOUT_MS = 120_000;
const FILL_TIMEOUT_MS = 300_000;
/** The same for both sides: TLS, in the shape that the product gives its streams by default. */
const WANTED_LAYOUT: StreamLayout = { multifdChannels: 2, compression: 'zstd' };

/** A run with the longest silence that the witness's observer saw. */
interface Run extends SwitchTimes {
  readonly witnessGapMs: number;
  readonly commandToDoneMs: number;
}

/** Ours and raw QEMU in turn, over the same network, with equal busy guests; then throughput against an OpenSSH tunnel. */
export function liveSuite({ runs }: SuiteOptions): Promise<readonly Row[]> {
  return withBenchLab(async (bench) => {
    const layout = streamLayout({ hold: false, wanted: WANTED_LAYOUT, sourceQemu: (await readQemuFacts('qemu-system-x86_64')).version });
    const busy = await compare(bench, {
      ours: 101,
      raw: 102,
      runs,
      memory: { memoryMiB: 512, workingSet: 256 * MIB, dirtyRate: DIRTY_RATE },
      transport: () => ({ kind: 'tls', layout }),
    });
    const idle = await compare(bench, {
      ours: 103,
      raw: 104,
      runs,
      memory: { memoryMiB: 2304, workingSet: 2048 * MIB, dirtyRate: 0 },
      transport: (source) => ({ kind: 'ssh', tunnel: (target) => openSshTunnel(source, target) }),
    });
    const each = (runs: readonly Run[], pick: (run: Run) => number | null): number[] => runs.flatMap((run) => pick(run) ?? []);
    const row = (name: string, unit: string, pick: (run: Run) => number): Row =>
      rowOf(name, unit, { ours: each(busy.ours, pick), peer: each(busy.peer, pick) });
    const throughput = (run: Run): number | null => (run.firstPassBytesPerSecond === null ? null : run.firstPassBytesPerSecond / MIB);
    return [
      row('blackout', 'ms', (run) => run.blackoutMs),
      row('blackout witness', 'ms', (run) => run.witnessGapMs),
      row('total', 'ms', (run) => run.totalMs),
      rowOf('command to done', 'ms', { ours: each(busy.ours, (run) => run.commandToDoneMs) }),
      rowOf('secure throughput', 'MiB/s', { ours: each(idle.ours, throughput), peer: each(idle.peer, throughput) }),
    ];
  });
}

interface Comparison {
  readonly ours: number;
  readonly raw: number;
  readonly runs: number;
  readonly memory: { readonly memoryMiB: number; readonly workingSet: number; readonly dirtyRate: number };
  readonly transport: (source: BenchNode) => RawTransport;
}

/** One guest of ours and one raw guest, equal but for their names, moved in turn from node to node; one warm-up each. */
async function compare(bench: BenchLab, comparison: Comparison): Promise<{ ours: readonly Run[]; peer: readonly Run[] }> {
  const { lab } = bench;
  const observerSocket = socketOf(lab);
  const nodes = [benchNode(lab, 'node1'), benchNode(lab, 'node2')] as const;
  const configOf = (vmid: number): string => witnessGuestConfig({ vmid, name: `bench-${vmid}`, ...comparison.memory, disks: [64], storage: 'shared' });
  const ours = await OurGuest.create(bench, { vmid: comparison.ours, config: configOf(comparison.ours), nodes });
  const guest: RawGuest = { vmid: comparison.raw, config: configOf(comparison.raw), shared: { host: lab.sharedFolder, node: '/mnt/shared' } };
  createRawVolumes(guest);
  let qemu: RawQemu = await startRawQemu(guest, nodes[0], { incoming: false });
  for (const vmid of [comparison.ours, comparison.raw]) await waitUntilBusy({ observerSocket, vmid, timeoutMs: FILL_TIMEOUT_MS });

  const result = { ours: new Array<Run>(), peer: new Array<Run>() };
  for (let run = 0; run <= comparison.runs; run += 1) {
    await only(comparison.ours, comparison.raw);
    const one = await ofWitness(comparison.ours, () => ours.migrate({ timeoutMs: TIMEOUT_MS }));
    await only(comparison.raw, comparison.ours);
    const other = await ofWitness(comparison.raw, async () => {
      const started = performance.now();
      const target = qemu.node === nodes[0] ? nodes[1] : nodes[0];
      const transport = comparison.transport(qemu.node);
      const moved = await migrateRaw({
        guest,
        source: qemu,
        target,
        transport,
        downtimeLimitMs: DEFAULT_MAX_DOWNTIME_MS,
        timeoutMs: TIMEOUT_MS,
      });
      qemu = moved.qemu;
      return { ...moved.times, commandToDoneMs: performance.now() - started };
    });
    say(
      `run ${run} of ${comparison.runs}: blackout ${one.blackoutMs.toFixed(0)} against ${other.blackoutMs.toFixed(0)} ms, total ${one.totalMs.toFixed(0)} against ${other.totalMs.toFixed(0)} ms`,
    );
    if (run === 0) continue;
    result.ours.push(one);
    result.peer.push(other);
  }
  await ours.destroy();
  await quitRawQemu(qemu);
  return result;

  /** The guest that is not measured keeps ticking but writes nothing: each is measured with the machine to itself. */
  async function only(active: number, resting: number): Promise<void> {
    await askGuest({ observerSocket, vmid: resting }, 'set dirty-rate 0');
    await askGuest({ observerSocket, vmid: active }, `set dirty-rate ${comparison.memory.dirtyRate}`);
    await sleep(1_000);
  }

  async function ofWitness(vmid: number, migrate: () => Promise<Omit<Run, 'witnessGapMs'>>): Promise<Run> {
    await resetWitness({ observerSocket, vmid });
    const run = await migrate();
    await sleep(500);
    const report = await readObserverReport({ observerSocket, vmid });
    return { ...run, witnessGapMs: report.ticks.longestGapMs };
  }
}
