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

/** One node of the lab, entered from outside. */
export interface BenchNode {
  readonly name: NodeName;
  readonly migrationAddress: string;
  /** The host's way to a file that the node sees at `path`. */
  fileOf(path: string): string;
  /** Runs a command inside to its end; answers its standard output. @throws KedgeError `lab-failed` */
  run(command: readonly string[]): Promise<string>;
  /** Starts a program inside that outlives this call; its output goes to `logFile` (a path of the node). */
  start(command: readonly string[], logFile: string): void;
}

/** The node `name` of a lab that is up. */
export function benchNode(lab: LabState, name: string): BenchNode {
  const machine = machineOf(lab, name);
  const init = machine.init;
  if (init === null) throw new KedgeError('lab-failed', `Cannot use ${name}: its power is off`);
  const fileOf = (path: string): string => join('/proc', String(init.pid), 'root', path);
  return {
    name: parseNodeName(name),
    migrationAddress: nodeAddresses(name).migration,
    fileOf,
    run: (command) => run(insideCommand(machine, command)),
    start: (command, logFile) => {
      const [program, ...args] = insideCommand(machine, command);
      const log = openSync(fileOf(logFile), 'a');
      spawn(program, args, { detached: true, stdio: ['ignore', log, log] }).unref();
      closeSync(log);
    },
  };
}
