import { KedgeError } from '../../src/domain/kedge-error.js';
import { assertNever } from '../../src/domain/assert-never.js';
import { freezeCgroup } from '../cgroups.js';
import type { Fault, LabState, Machine, ProcessIdentity } from '../lab-state.js';
import { machineOf, writeLab } from '../lab-store.js';
import { isAlive, processesInside, sendSignal } from '../processes.js';
import { componentsOf, containersOf, guestsOf } from '../status.js';
import { armCrash, fillDisk, writeClaims, writeClock } from './local-faults.js';
import { applyRules, applyShaping } from './network-faults.js';
import { networksOf } from './nft-rules.js';
import { powerOff } from './power.js';
import { slowDisk } from './slow-disk.js';

/** What can be done to a machine: a fault that lasts until it is healed, or a kill. */
export type Wish = Exclude<Fault, { kind: 'stop' }> | { readonly kind: 'stop'; readonly target: string } | { readonly kind: 'kill'; readonly target: string };

/**
 * Breaks a machine and notes it in lab.json, before the effect: a break that is noted but never happened can be healed,
 * one that happened unnoted could not.
 * @throws KedgeError `bad-input`, `not-found` for what the machine doesn't have, `unsupported`
 */
export async function breakMachine(lab: LabState, name: string, wish: Wish): Promise<LabState> {
  const machine = machineOf(lab, name);
  if (wish.kind === 'kill') {
    for (const process of targetProcesses(machine, wish.target)) sendSignal(process, 'SIGKILL');
    return lab;
  }
  const fault = faultOf(machine, wish);
  checkFault(lab, machine, fault);
  const id = Math.max(0, ...lab.breaks.map((each) => each.id)) + 1;
  const broken: LabState = { ...lab, breaks: [...lab.breaks, { id, machine: name, at: new Date().toISOString(), fault }] };
  writeLab(broken);
  try {
    return await applyFault(broken, name, fault);
  } catch (error) {
    writeLab(lab);
    throw error;
  }
}

function faultOf(machine: Machine, wish: Exclude<Wish, { kind: 'kill' }>): Fault {
  if (wish.kind !== 'stop') return wish;
  return { kind: 'stop', target: wish.target, processes: wish.target === 'all' ? [] : targetProcesses(machine, wish.target) };
}

async function applyFault(lab: LabState, name: string, fault: Fault): Promise<LabState> {
  const machine = machineOf(lab, name);
  switch (fault.kind) {
    case 'cut':
    case 'lose':
      await applyRules(lab);
      return lab;
    case 'shape':
    case 'delay':
      for (const each of lab.breaks) if (each.fault === fault) await applyShaping(lab, each);
      return lab;
    case 'stop':
      if (fault.target === 'all' && !freezeCgroup(machine.cgroups, true))
        throw new KedgeError('unsupported', `Cannot stop all of ${name}: no cgroup freezer is here`);
      for (const process of fault.processes) sendSignal(process, 'SIGSTOP');
      return lab;
    case 'power-off':
      return powerOff(lab, name);
    case 'fill':
      await fillDisk(poweredInit(machine), fault.leaveBytes);
      return lab;
    case 'slow-disk':
      slowDisk(machine, poweredInit(machine), fault.writesPerSecond);
      return lab;
    case 'clock':
      writeClock(machine, poweredInit(machine), fault.shift);
      return lab;
    case 'claim':
      writeClaims(lab, machine, poweredInit(machine));
      return lab;
    case 'crash-at':
      armCrash(poweredInit(machine), fault);
      return lab;
    default:
      return assertNever(fault);
  }
}

/** What only a node has, and what it can have but once. */
const OF_NODES: readonly Fault['kind'][] = ['fill', 'slow-disk', 'clock', 'claim'];
const SINGLE: readonly Fault['kind'][] = ['fill', 'slow-disk', 'clock', 'power-off'];

function checkFault(lab: LabState, machine: Machine, fault: Fault): void {
  if ('network' in fault) {
    if (!networksOf(machine).includes(fault.network))
      throw new KedgeError(
        'bad-input',
        `Cannot break the ${fault.network} network of ${machine.name}: it is plugged into ${networksOf(machine).join(', ') || 'none'}`,
      );
    if ('peer' in fault && fault.peer !== null && !networksOf(machineOf(lab, fault.peer)).includes(fault.network))
      throw new KedgeError('bad-input', `Cannot cut ${machine.name} from ${fault.peer}: it is not on the ${fault.network} network`);
    return;
  }
  if (fault.kind === 'crash-at' && (machine.role === 'control') !== fault.point.startsWith('control.'))
    throw new KedgeError('bad-input', `Cannot break ${machine.name} with "crash-at": no worker of it passes ${fault.point}`);
  const needsNode = OF_NODES.includes(fault.kind) || (fault.kind === 'crash-at' && machine.role !== 'control');
  if (needsNode && machine.role !== 'node') throw new KedgeError('bad-input', `Cannot break ${machine.name} with "${fault.kind}": it is no node`);
  if (fault.kind === 'power-off' && machine.role !== 'node' && machine.role !== 'control')
    throw new KedgeError('bad-input', `Cannot cut the power of ${machine.name}: only nodes and "control" have a switch`);
  const again = lab.breaks.find((each) => each.machine === machine.name && each.fault.kind === fault.kind);
  const single = SINGLE.includes(fault.kind);
  if (single && again !== undefined)
    throw new KedgeError('already-exists', `Cannot break ${machine.name} with "${fault.kind}": it is broken so already (#${again.id}), heal it first`);
}

/** Processes that a target names: a component, `qemu:<vmid>`, `lxc:<vmid>` (monitor and init), or `all`. @throws KedgeError `not-found` with what there is */
function targetProcesses(machine: Machine, target: string): ProcessIdentity[] {
  const init = poweredInit(machine);
  const inside = processesInside(init);
  const containers = containersOf(inside).map(({ vmid, monitor, init: first }) => ({
    name: `lxc:${vmid}`,
    processes: [monitor, ...(first === null ? [] : [first])],
  }));
  if (target === 'all') return [...inside.filter((process) => process.insidePid !== 1), ...containers.flatMap(({ processes }) => processes.slice(1))];
  const container = containers.find(({ name }) => name === target);
  if (container !== undefined) return container.processes.map(({ pid, startTime }) => ({ pid, startTime }));
  const components = componentsOf(machine, inside);
  const guests = guestsOf(init, inside);
  const found = components[target] ?? guests.find((guest) => `qemu:${guest.vmid}` === target)?.process;
  if (found) return [{ pid: found.pid, startTime: found.startTime }];
  const names = [...Object.keys(components), ...guests.map((guest) => `qemu:${guest.vmid}`), ...containers.map(({ name }) => name)];
  throw new KedgeError(
    'not-found',
    `Cannot find "${target}" on ${machine.name}: ${names.length === 0 ? 'nothing runs there' : `there are ${names.join(', ')}`}`,
    { details: { remedy: 'Name one of those' } },
  );
}

function poweredInit(machine: Machine): ProcessIdentity {
  if (machine.init !== null && isAlive(machine.init)) return machine.init;
  throw new KedgeError('lab-failed', `Cannot break ${machine.name}: its power is off`);
}
