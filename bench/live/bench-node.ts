import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { nodeAddresses } from '../../lab/address-plan.js';
import { insideCommand } from '../../lab/exec.js';
import type { LabState } from '../../lab/lab-state.js';
import { machineOf } from '../../lab/lab-store.js';
import { run } from '../../lab/run.js';
import { parseNodeName, type NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';

/** One machine of the lab, entered from outside. */
export interface BenchMachine {
  /** The host's way to a file that the machine sees at `path`. */
  fileOf(path: string): string;
  /** Runs a command inside to its end, for 30 s at most unless told otherwise; answers its standard output. @throws KedgeError `lab-failed` */
  run(command: readonly string[], options?: { readonly timeoutMs: number }): Promise<string>;
  /** Starts a program inside that outlives this call; its output goes to `logFile` (a path of the machine). */
  start(command: readonly string[], logFile: string): void;
}

/** A machine that runs guests. */
export interface BenchNode extends BenchMachine {
  readonly name: NodeName;
  readonly migrationAddress: string;
}

/** The node `name` of a lab that is up. */
export function benchNode(lab: LabState, name: string): BenchNode {
  return { ...benchMachine(lab, name), name: parseNodeName(name), migrationAddress: nodeAddresses(name).migration };
}

/** Any machine with a root of its own: a node, or `control`. @throws KedgeError `lab-failed` while its power is off */
export function benchMachine(lab: LabState, name: string): BenchMachine {
  const machine = machineOf(lab, name);
  const init = machine.init;
  if (init === null) throw new KedgeError('lab-failed', `Cannot use ${name}: its power is off`);
  const fileOf = (path: string): string => join('/proc', String(init.pid), 'root', path);
  return {
    fileOf,
    run: (command, options = { timeoutMs: 30_000 }) => run(insideCommand(machine, command), options),
    start: (command, logFile) => {
      const [program, ...args] = insideCommand(machine, command);
      const log = openSync(fileOf(logFile), 'a');
      spawn(program, args, { detached: true, stdio: ['ignore', log, log] }).unref();
      closeSync(log);
    },
  };
}
