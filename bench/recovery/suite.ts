import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client, Connection } from '@temporalio/client';
import { z } from 'zod';
import { repositoryFolder } from '../../lab/lab-folder.js';
import { observerSocket as socketOf } from '../../lab/witness-place.js';
import { readObserverReport } from '../../lab/witness/read-witness.js';
import { witnessGuestConfig } from '../../lab/witness/witness-guest-config.js';
import type { CrashMoment, CrashPoint } from '../../src/domain/crash-points.js';
import { say, withBenchLab, type BenchLab } from '../live/bench-lab.js';
import { benchMachine, benchNode, type BenchNode } from '../live/bench-node.js';
import { observeSwitch } from '../live/observe-switch.js';
import { OurGuest } from '../live/our-guest.js';
import { waitUntilBusy } from '../live/wait-until-busy.js';
import { rowOf, type Row, type SuiteOptions } from '../report.js';
import { armCrash, killComponent, memoryOf, nextStart, startsOf, type Component } from './components.js';
import { firstHeartbeatAt, firstTaskAt, startProbe } from './first-work.js';
import { watchRunners } from './watch-runners.js';

const MIB = 1024 ** 2;
const VMID = 101;
/** Makes the copy last some seconds, so that a kill surely falls into it. */
const SLOW_COPY = { bandwidthLimit: 80 * MIB };
const TIMEOUT_MS = 180_000;

/** Places inside the switchover at which nobody runs the guest, and whose worker dies there. */
const CRASHES: readonly { readonly point: CrashPoint; readonly moment: CrashMoment; readonly side: 'source' | 'target' }[] = [
  { point: 'source.releasing-record', moment: 'after', side: 'source' },
  { point: 'source.continue', moment: 'after', side: 'source' },
  { point: 'source.released-record', moment: 'after', side: 'source' },
  { point: 'source.go-message', moment: 'before', side: 'source' },
  { point: 'target.armed-record', moment: 'after', side: 'target' },
  { point: 'target.owned-record', moment: 'after', side: 'target' },
];

interface Measured {
  readonly unkilled: number[];
  readonly killed: number[];
  readonly control: number[];
  readonly node: number[];
  readonly server: number[];
  readonly switchover: number[];
}

/** Kills each component in the middle of a migration and takes the time until it does its work again; then inside the switchover. */
export function recoverySuite({ runs }: SuiteOptions): Promise<readonly Row[]> {
  return withBenchLab(async (bench) => {
    const { lab } = bench;
    const nodes = [benchNode(lab, 'node1'), benchNode(lab, 'node2')] as const;
    const config = witnessGuestConfig({
      vmid: VMID,
      name: 'bench',
      memoryMiB: 512,
      workingSet: 256 * MIB,
      dirtyRate: 10 * MIB,
      disks: [64],
      storage: 'shared',
    });
    const guest = await OurGuest.create(bench, { vmid: VMID, config, nodes });
    await waitUntilBusy({ observerSocket: socketOf(lab), vmid: VMID, timeoutMs: TIMEOUT_MS });
    const connection = await Connection.connect({ address: lab.temporal.hostAddress });
    const client = new Client({ connection });
    const measured: Measured = { unkilled: [], killed: [], control: [], node: [], server: [], switchover: [] };
    for (let run = 0; run < runs; run += 1) {
      await oneRound({ bench, guest, client, measured, crash: CRASHES[run % CRASHES.length] ?? { point: 'source.continue', moment: 'after', side: 'source' } });
      say(`round ${run + 1} of ${runs}`);
    }
    await connection.close();
    const { ticks } = await readObserverReport({ observerSocket: socketOf(lab), vmid: VMID });
    return [
      rowOf('recovery control worker', 'ms', { ours: measured.control }),
      rowOf('recovery node worker', 'ms', { ours: measured.node }),
      rowOf('recovery temporal server', 'ms', { ours: measured.server }),
      rowOf('recovery switchover', 'ms', { ours: measured.switchover }),
      // Beside the runs without a kill: a component's death outside the switchover must not lengthen the blackout.
      rowOf('blackout after kill', 'ms', { ours: measured.killed, peer: measured.unkilled }),
      rowOf('double runners', 'count', { ours: [ticks.doubleRunner ? 1 : 0] }),
      rowOf('leftovers', 'count', { ours: [await countLeftovers(lab.name)] }),
      rowOf('memory control worker', 'MiB', { ours: [await memoryOf({ machine: benchMachine(lab, 'control'), name: 'control' })] }),
      rowOf('memory node worker', 'MiB', { ours: await Promise.all(nodes.map((machine) => memoryOf({ machine, name: 'worker' }))) }),
    ];
  });
}

interface Round {
  readonly bench: BenchLab;
  readonly guest: OurGuest;
  readonly client: Client;
  readonly measured: Measured;
  readonly crash: (typeof CRASHES)[number];
}

async function oneRound(round: Round): Promise<void> {
  const { bench, guest, client, measured } = round;
  const { hostAddress } = bench.lab.temporal;
  const control = benchMachine(bench.lab, 'control');

  measured.unkilled.push(await migrateWith(guest, async () => undefined));
  const killed = [
    await migrateWith(guest, async (_workflowId, node) => {
      const begun = killComponent({ machine: control, name: 'control' });
      const probe = await startProbe(hostAddress, node);
      measured.control.push((await firstTaskAt(client, probe.workflowId)) - (await begun));
    }),
    await migrateWith(guest, async (workflowId, node) => {
      const begun = await killComponent({ machine: node, name: 'worker' });
      measured.node.push((await firstHeartbeatAt(client, { workflowId, sinceMs: begun })) - begun);
    }),
    await migrateWith(guest, async (_workflowId, node) => {
      const begun = await killComponent({ machine: control, name: 'temporal' });
      measured.server.push((await startProbe(hostAddress, node)).acceptedAtMs - begun);
    }),
  ];
  measured.killed.push(...killed);
  measured.switchover.push(await crashInside(guest, round.crash));
}

/** One migration with something done to it while RAM is sent; answers its blackout in milliseconds. */
async function migrateWith(guest: OurGuest, disturb: (workflowId: string, source: BenchNode) => Promise<void>): Promise<number> {
  const observation = await observeSwitch({ source: guest.socketOn(guest.source), target: guest.socketOn(guest.target), timeoutMs: TIMEOUT_MS });
  const source = guest.source;
  const ref = await guest.start(SLOW_COPY);
  await observation.streaming;
  // The first heartbeat is out by then.
  await sleep(1_000);
  await disturb(ref.workflowId, source);
  await guest.end(ref);
  return (await observation.times).blackoutMs;
}

/** From the restart of the worker that died inside the switchover to the guest running, on either node. */
async function crashInside(guest: OurGuest, crash: Round['crash']): Promise<number> {
  const component: Component = { machine: crash.side === 'source' ? guest.source : guest.target, name: 'worker' };
  const watch = await watchRunners({ source: guest.socketOn(guest.source), target: guest.socketOn(guest.target) });
  const before = startsOf(component).length;
  armCrash(component, crash);
  try {
    const ref = await guest.start();
    const begun = await nextStart(component, before);
    const runsAtMs = await watch.runsAgainAt(TIMEOUT_MS);
    await guest.end(ref);
    return runsAtMs - begun;
  } finally {
    watch.close();
  }
}

async function countLeftovers(lab: string): Promise<number> {
  const command = [join(repositoryFolder(), 'bin/kedge'), 'audit', '--json'] as const;
  const options = { env: { ...process.env, KEDGE_LAB: lab } };
  // A dirty audit exits with 1 and prints all the same.
  const { stdout } = await promisify(execFile)(command[0], command.slice(1), options).catch((error: unknown) => z.object({ stdout: z.string() }).parse(error));
  return z.object({ leftovers: z.array(z.unknown()) }).parse(JSON.parse(stdout)).leftovers.length;
}
