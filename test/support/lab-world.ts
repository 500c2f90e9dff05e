import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { changeLab } from '../../lab/change-lab.js';
import { createWitness } from '../../lab/create-witness.js';
import { createWitnessContainer } from '../../lab/create-witness-container.js';
import { labDown } from '../../lab/down.js';
import { breakMachine, type Wish } from '../../lab/faults/break-machine.js';
import { labFolder, repositoryFolder } from '../../lab/lab-folder.js';
import type { LabState } from '../../lab/lab-state.js';
import { machineOf, readLab } from '../../lab/lab-store.js';
import { processesInside, waitUntil } from '../../lab/processes.js';
import { guestsOf, insidePath } from '../../lab/status.js';
import { connectLab } from '../../lab/wait-for-lab.js';
import { observerSocket, witnessPlace } from '../../lab/witness-place.js';
import { askGuest } from '../../lab/witness/ask-guest.js';
import { readWitness, resetWitness } from '../../lab/witness/read-witness.js';
import type { Verdict } from '../../lab/witness/verdict.js';
import type { WitnessContainer } from '../../lab/witness/witness-container-config.js';
import type { WitnessGuest } from '../../lab/witness/witness-guest-config.js';
import { collectAudit } from '../../src/cli/collect-audit.js';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import type { MigrationRef, MigrationView } from '../../src/client/migration-view.js';
import { findLeftovers } from '../../src/domain/audit.js';
import type { Leftover } from '../../src/domain/audit-types.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { MigrationOptions } from '../../src/domain/migration.js';
import { awaitBoot } from './await-boot.js';

const MIB = 2 ** 20;
const WATCH_EVERY_MS = 100;

export interface CommandEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real lab for one test file: real nodes, workers, QEMU and Temporal server, and the means to break and to judge them. */
export interface LabWorld {
  readonly kedge: KedgeClient;
  /** The lab as it is now. */
  lab(): LabState;
  /** Runs `kedge` as a user on the host would. */
  cli(...words: readonly string[]): Promise<CommandEnd>;
  /** Small by default, so that a migration takes a second; it still needs several rounds. */
  createWitness(guest: Partial<WitnessGuest> & { readonly vmid: number }, node: string): Promise<void>;
  /** Privileged and without further files, unless told otherwise. */
  createWitnessContainer(container: Partial<WitnessContainer> & { readonly vmid: number }, node: string): Promise<void>;
  migrate(vmid: number, target: string, options?: Partial<MigrationOptions>): Promise<MigrationRef>;
  /** Waits for views until one satisfies; a server or control worker that is away meanwhile is waited for. */
  watch(ref: MigrationRef, what: string, until: (view: MigrationView) => boolean): Promise<MigrationView>;
  /** Waits for the end of a migration. */
  ended(ref: MigrationRef): Promise<MigrationView>;
  break(machine: string, wish: Wish): Promise<void>;
  heal(...words: readonly string[]): Promise<void>;
  /** Kills a node's worker and waits until the next one has registered. */
  restartWorker(node: string): Promise<void>;
  /** A path inside a node, as the host reaches it. */
  inside(node: string, path: string): string;
  /** Host pid of the guest's QEMU on a node; null without one. */
  qemuPid(node: string, vmid: number): number | null;
  verdict(vmid: number, options?: { readonly allowedReboots?: number }): Promise<Verdict>;
  resetWitness(vmid: number): Promise<void>;
  /** Waits until the witness has booted: before, it neither ticks nor obeys the power button. */
  booted(vmid: number): Promise<void>;
  /** Gives the witness in a guest a command, see lab/witness/ask-guest.ts. */
  askGuest(vmid: number, command: string): Promise<void>;
  /** What `kedge audit` finds; waits a moment for what is still being cleaned up. */
  leftovers(): Promise<readonly Leftover[]>;
  close(): Promise<void>;
}

/** Builds the product and a fresh lab of its own; `close` removes it. */
export async function openLabWorld(options: { readonly name: string; readonly nodes: number; readonly fencing?: boolean }): Promise<LabWorld> {
  const name = `t-${options.name}-${process.pid}`;
  const root = repositoryFolder();
  await mustRun(process.execPath, [join(root, 'tools/build.mjs')]);
  const kedgeProgram = join(root, 'dist/src/cli/main.js');
  let kedge: KedgeClient;
  try {
    await mustRun(process.execPath, [
      kedgeProgram,
      'lab',
      'up',
      '--name',
      name,
      '--nodes',
      String(options.nodes),
      ...(options.fencing === true ? ['--fencing'] : []),
    ]);
    kedge = await connectLab(readLab(name));
  } catch (error) {
    await labDown(name);
    throw error;
  }
  const lab = (): LabState => readLab(name);
  const initOf = (node: string) => {
    const { init } = machineOf(lab(), node);
    if (init === null) throw new Error(`Cannot look into ${node}: its power is off`);
    return init;
  };
  const watch: LabWorld['watch'] = async (ref, what, until) => {
    for (let silentMs = 0; silentMs < 60_000; silentMs += WATCH_EVERY_MS) {
      try {
        for await (const view of kedge.watchMigration(ref, { intervalMs: WATCH_EVERY_MS })) {
          silentMs = 0;
          if (until(view)) return view;
          if (view.status !== 'running') throw new Error(`Cannot see ${what}: the migration ended as ${JSON.stringify(view, undefined, 1)}`);
        }
      } catch (error) {
        if (!(error instanceof KedgeError)) throw error;
        await delay(WATCH_EVERY_MS);
      }
    }
    throw new Error(`Cannot see ${what}: no server answers`);
  };
  const inside: LabWorld['inside'] = (node, path) => insidePath(initOf(node), path);
  const breakIt: LabWorld['break'] = async (machine, wish) => {
    await changeLab(name, (state) => breakMachine(state, machine, wish));
  };
  const verdict: LabWorld['verdict'] = (vmid, judged = {}) => {
    const { kind, journal } = witnessPlace(lab(), vmid);
    return readWitness({ observerSocket: observerSocket(lab()), vmid, kind, imagePath: journal, ...judged });
  };
  return {
    kedge,
    lab,
    cli: (...words) => run(process.execPath, [kedgeProgram, ...words], { KEDGE_CONFIG: labFolder(name).configFile, KEDGE_LAB: name }),
    createWitness: (guest, node) =>
      createWitness(
        lab(),
        { name: `witness-${guest.vmid}`, memoryMiB: 192, dirtyRate: 8 * MIB, workingSet: 48 * MIB, disks: [64], storage: 'shared', ...guest },
        { node, start: true },
      ),
    createWitnessContainer: (container, node) =>
      createWitnessContainer(
        lab(),
        { name: `witness-${container.vmid}`, memoryMiB: 64, unprivileged: false, storage: 'local', tickMs: 5, files: 0, mountPoints: 0, ...container },
        { node, start: true },
      ),
    migrate: (vmid, target, typed = {}) => kedge.startMigration({ vmid, target, options: typed, requestedBy: 'e2e' }),
    watch,
    ended: (ref) => watch(ref, 'the end', (view) => view.status !== 'running'),
    break: breakIt,
    heal: async (...words) => {
      await mustRun(process.execPath, [kedgeProgram, 'lab', 'heal', '--name', name, ...words]);
    },
    restartWorker: async (node) => {
      const log = inside(node, '/var/log/kedge/worker.log');
      const registrations = (): number => readFileSync(log, 'utf8').split('this boot is registered').length;
      const seen = registrations();
      await breakIt(node, { kind: 'kill', target: 'worker' });
      await waitUntil(`the return of ${node}`, () => registrations() > seen, { timeoutMs: 30_000 });
    },
    inside,
    qemuPid: (node, vmid) => {
      const init = initOf(node);
      return guestsOf(init, processesInside(init)).find((guest) => guest.vmid === vmid)?.process.pid ?? null;
    },
    verdict,
    booted: (vmid) => awaitBoot(lab(), vmid, () => verdict(vmid, { allowedReboots: Infinity })),
    resetWitness: (vmid) => resetWitness({ observerSocket: observerSocket(lab()), vmid }),
    askGuest: async (vmid, command) => {
      await askGuest({ observerSocket: observerSocket(lab()), vmid }, command);
    },
    leftovers: () => settledLeftovers(kedge),
    close: async () => {
      await kedge.close();
      await labDown(name);
    },
  };
}

const SETTLE_MS = 5_000;

async function settledLeftovers(kedge: KedgeClient): Promise<readonly Leftover[]> {
  const deadline = performance.now() + SETTLE_MS;
  for (;;) {
    const leftovers = findLeftovers(await collectAudit({ ...kedge, migrationDefaults: {}, blackouts: [], migrationAddress: (node) => node }));
    if (leftovers.length === 0 || performance.now() > deadline) return leftovers;
    await delay(250);
  }
}

async function mustRun(program: string, words: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await run(program, words, {});
  if (code !== 0) throw new Error(`Cannot run ${words.join(' ')}: exit ${String(code)}\n${stdout}${stderr}`);
}

async function run(program: string, words: readonly string[], environment: Readonly<Record<string, string>>): Promise<CommandEnd> {
  const child = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}
