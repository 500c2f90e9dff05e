import { rmSync } from 'node:fs';
import { assertNever } from '../../src/domain/assert-never.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { freezeCgroup } from '../cgroups.js';
import type { Break, Fault, LabState, Machine } from '../lab-state.js';
import { machineOf, writeLab } from '../lab-store.js';
import { isAlive, sendSignal } from '../processes.js';
import { crashFile, emptyDisk, writeClaims, writeClock } from './local-faults.js';
import { applyRules, clearShaping } from './network-faults.js';
import { powerOn } from './power.js';
import { slowDisk } from './slow-disk.js';

/**
 * Undoes breaks, newest first; the break is forgotten only when its undo is done.
 * @returns the lab, and what was healed
 * @throws KedgeError `lab-failed`
 */
export async function healBreaks(lab: LabState, chosen: (each: Break) => boolean): Promise<{ lab: LabState; healed: Break[] }> {
  const healed = lab.breaks.filter(chosen).reverse();
  let state = lab;
  for (const each of healed) {
    const rest: LabState = { ...state, breaks: state.breaks.filter(({ id }) => id !== each.id) };
    state = await undo(rest, each);
    writeLab(state);
  }
  return { lab: state, healed };
}

async function undo(rest: LabState, each: Break): Promise<LabState> {
  const { fault } = each;
  const machine = machineOf(rest, each.machine);
  switch (fault.kind) {
    case 'cut':
    case 'lose':
      await applyRules(rest);
      return rest;
    case 'shape':
    case 'delay':
      await clearShaping(rest, each);
      return rest;
    case 'stop':
      freezeCgroup(machine.cgroups, false);
      for (const process of fault.processes) sendSignal(process, 'SIGCONT');
      return rest;
    case 'power-off':
      return powerOn(rest, machine.name);
    case 'fill':
    case 'slow-disk':
    case 'clock':
    case 'claim':
    case 'crash-at':
      undoInside(rest, machine, fault);
      return rest;
    default:
      return assertNever(fault);
  }
}

/** A machine without power has lost these by itself, but for the disk: its break waits for the power. */
function undoInside(rest: LabState, machine: Machine, fault: Extract<Fault, { kind: 'fill' | 'slow-disk' | 'clock' | 'claim' | 'crash-at' }>): void {
  const { init } = machine;
  if (init === null || !isAlive(init)) {
    if (fault.kind === 'fill') throw new KedgeError('lab-failed', `Cannot empty the disk of ${machine.name}: its power is off, switch it on first`);
    return;
  }
  switch (fault.kind) {
    case 'fill':
      return emptyDisk(init);
    case 'slow-disk':
      return slowDisk(machine, init, null);
    case 'clock':
      return writeClock(machine, init, null);
    case 'claim':
      return writeClaims(rest, machine, init);
    case 'crash-at':
      return rmSync(crashFile(init, fault.point), { force: true });
    default:
      return assertNever(fault);
  }
}
