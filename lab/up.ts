import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { takeFileLock } from '../src/drivers/host/file-lock.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import { createCgroup, detectCgroups } from './cgroups.js';
import { labFolder } from './lab-folder.js';
import type { LabOptions, LabState } from './lab-state.js';
import { findLab, writeLab } from './lab-store.js';
import { optionDifferences } from './options.js';
import { planLab } from './plan-lab.js';
import { isAlive } from './processes.js';
import { seedLab } from './seed.js';
import { startPowerSupply } from './start-power-supply.js';
import { startMachines } from './start-machines.js';
import { temporalProgram } from './temporal-program.js';
import { waitForLab } from './wait-for-lab.js';

/** What `up` found or made. */
export interface UpResult {
  readonly lab: LabState;
  /** False when the lab was there already, with the same options. */
  readonly built: boolean;
}

/**
 * Builds a lab and waits until its nodes serve. A lab that is there with the same options is left as it is.
 * A failed build is left for inspection; `kedge lab down` removes it.
 * @throws KedgeError `already-exists` for other options or a half-built lab, `lab-failed`, `unsupported` without root
 */
export async function labUp(name: string, options: LabOptions, progress: (text: string) => void): Promise<UpResult> {
  if (process.getuid?.() !== 0) throw new KedgeError('unsupported', 'Cannot build a lab as an ordinary user: namespaces, mounts and cgroups need root');
  const folder = labFolder(name);
  const lock = await takeFileLock(folder.lockFile, { waitMs: 30_000 });
  try {
    const there = findLab(folder);
    if (there !== undefined) return { lab: acceptExisting(there, options), built: false };
    temporalProgram();
    mkdirSync(folder.path, { recursive: true, mode: 0o700 });
    const plan = planLab(folder, options, { port: await freePort(), layout: detectCgroups(), now: new Date() });
    writeLab(plan);
    await seedLab(plan);
    progress(`seeded ${options.nodes} nodes in ${folder.path}`);
    for (const machine of plan.machines) createCgroup(machine.cgroups, { memoryBytes: machine.memoryBytes, cores: machine.cores });
    const started = await startMachines(
      plan,
      plan.machines.map((machine) => machine.name),
    );
    if (options.fencing === true) startPowerSupply(started);
    progress('machines started');
    await waitForLab(started, progress);
    const lab: LabState = { ...started, state: 'up' };
    writeLab(lab);
    return { lab, built: true };
  } finally {
    lock.release();
  }
}

function acceptExisting(there: LabState, options: LabOptions): LabState {
  const refuse = (text: string): KedgeError =>
    new KedgeError('already-exists', `Cannot build lab "${there.name}": ${text}`, {
      details: { remedy: `Remove it with "kedge lab down --name ${there.name}", or choose another --name` },
    });
  if (there.state === 'building') throw refuse('an earlier build did not end');
  const differences = optionDifferences(there.options, options);
  if (differences.length > 0) throw refuse(`it is there with other options: ${differences.join('; ')}`);
  const dead = there.machines.filter((machine) => machine.init !== null && !isAlive(machine.init)).map((machine) => machine.name);
  if (dead.length > 0) throw refuse(`${dead.join(', ')} died`);
  return there;
}

/** Asks the kernel for a port of the loopback that nobody uses now; the relay binds it a moment later. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}
