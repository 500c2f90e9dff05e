import { KedgeError } from '../../src/domain/kedge-error.js';
import { machineOf, readLab } from '../lab-store.js';
import { processesInside, sendSignal } from '../processes.js';
import { componentsOf } from '../status.js';

/** Kills the control worker of a lab with SIGKILL; answers its pid. @throws KedgeError `lab-failed` when none runs */
export function killControlWorker(lab: string): number {
  const machine = machineOf(readLab(lab), 'control');
  const worker = machine.init === null ? null : componentsOf(machine, processesInside(machine.init))['control'];
  if (worker === null || worker === undefined || !sendSignal(worker, 'SIGKILL'))
    throw new KedgeError('lab-failed', `Cannot kill the control worker of lab "${lab}": none runs`);
  return worker.pid;
}
