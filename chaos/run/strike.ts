/** Makes a fault happen in the lab, and ends it. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { processesInside, sendSignal } from '../../lab/processes.js';
import type { Wish } from '../../lab/faults/break-machine.js';
import { assertNever } from '../../src/domain/assert-never.js';
import type { CrashPoint } from '../../src/domain/crash-points.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { GuestWatch } from '../observe/guest-watch.js';
import type { MemoryLoss } from '../judge/memory-loss.js';
import type { ChaosFault, Lasting, Side, Victim } from '../plan/round-plan.js';
import { GUESTS, type ChaosGuest, type ChaosLab } from './chaos-lab.js';
import type { Route } from './step-signs.js';

export interface Struck {
  /** Faults that found something to hit. */
  readonly hits: number;
  /** Copies of guests that it took. */
  readonly losses: readonly MemoryLoss[];
  /** When it ended, by the clock of `performance`. */
  readonly endedAt: number;
}

export interface StrikeContext {
  readonly lab: ChaosLab;
  readonly guest: ChaosGuest;
  readonly route: Route;
  /** Of that guest. */
  readonly watch: GuestWatch;
  /** Does a guest on local disks run there? Its disk would be the one that is full. */
  readonly hasLocalGuest: (node: string) => boolean;
}

/** Strikes with all but crash points, which are armed; returns when the fault is over. */
export async function strike(context: StrikeContext, fault: Exclude<ChaosFault, { type: 'crash' }>): Promise<Struck> {
  switch (fault.type) {
    case 'kill': {
      const struck = await Promise.all(fault.victims.map((victim) => kill(context, victim)));
      return { hits: struck.filter(({ hit }) => hit).length > 0 ? 1 : 0, losses: struck.flatMap(({ losses }) => losses), endedAt: performance.now() };
    }
    case 'lasting':
      return last(context, fault.what, fault.forMs);
    case 'return-path':
      return loseReturnPath(context, fault);
    default:
      return assertNever(fault);
  }
}

async function loseReturnPath(context: StrikeContext, { alone, forMs }: Extract<ChaosFault, { type: 'return-path' }>): Promise<Struck> {
  const migration: Lasting = { do: 'cut', side: 'target', network: 'migration', direction: 'out' };
  if (!alone) return last(context, migration, forMs);
  const control: Lasting = { do: 'cut', side: 'target', network: 'control', direction: 'both' };
  const [struck] = await Promise.all([last(context, migration, forMs), last(context, control, forMs), kill(context, { program: 'worker', side: 'source' })]);
  return struck;
}

/**
 * Makes the way back from the target late: before the migration, so that QEMU's connections are made over it. A source that says go before it
 * has heard of the target's completion dies with the answer.
 */
export async function prepareReturnPath({ lab, route }: StrikeContext, { lateMs, alone }: Extract<ChaosFault, { type: 'return-path' }>): Promise<void> {
  await lab.break(route.target, { kind: 'delay', network: 'migration', direction: 'out', delayMs: lateMs });
  if (alone) await lab.break(route.source, { kind: 'crash-at', point: 'source.go-message', moment: 'after' });
}

/** Arms a crash point; answers a question: was it passed? */
export async function armCrash({ lab, route }: StrikeContext, fault: Extract<ChaosFault, { type: 'crash' }>): Promise<() => boolean> {
  const machine = fault.side === 'control' ? 'control' : route[fault.side];
  await lab.break(machine, { kind: 'crash-at', point: fault.point, moment: fault.moment });
  return () => isPassed(lab, machine, fault.point);
}

/** Takes the control network from the machine that a crash point has hit, for as long as the plan says. */
export async function cutOff(context: StrikeContext, { side, cutOffMs }: Extract<ChaosFault, { type: 'crash' }>): Promise<void> {
  if (cutOffMs > 0 && side !== 'control') await last(context, { do: 'cut', side, network: 'control', direction: 'both' }, cutOffMs);
}

function isPassed(lab: ChaosLab, machine: string, point: CrashPoint): boolean {
  const file = lab.inside(machine, `/run/kedge/crash/${point}`);
  return file !== null && !existsSync(file);
}

/** The watch hears of a death within some looks at the sockets. */
const DEATH_SEEN_MS = 2_000;

/** Kills the guest's QEMU on a node. Returns when the watch has seen it dead: a judge that comes at once would take it for running. */
export function killQemu(context: StrikeContext, node: string): Promise<readonly MemoryLoss[]> {
  return killGuest(context, { node, target: `qemu:${context.guest.vmid}` });
}

async function killGuest({ lab, guest, watch }: StrikeContext, { node, target }: { node: string; target: string }): Promise<readonly MemoryLoss[]> {
  const atMs = Date.now();
  const hit = await found(lab.break(node, { kind: 'kill', target }));
  for (const until = performance.now() + DEATH_SEEN_MS; hit && watch.runningOn().includes(node) && performance.now() < until; ) await delay(20);
  return hit ? [{ vmid: guest.vmid, node, atMs }] : [];
}

async function kill(context: StrikeContext, victim: Victim): Promise<{ hit: boolean; losses: readonly MemoryLoss[] }> {
  const { lab, guest } = context;
  const machine = machineOf(context, victim);
  switch (victim.program) {
    case 'qemu': {
      const losses = await killQemu(context, machine);
      return { hit: losses.length > 0, losses };
    }
    case 'sessions':
      return { hit: killSessions(context, machine), losses: [] };
    case 'monitor': {
      const losses = await killGuest(context, { node: machine, target: `lxc:${guest.vmid}` });
      return { hit: losses.length > 0, losses };
    }
    case 'worker':
    case 'sshd':
    case 'control':
    case 'temporal':
      return { hit: await found(lab.break(machine, { kind: 'kill', target: victim.program })), losses: [] };
    default:
      return assertNever(victim);
  }
}

/** The children of the listener: each is one connection of a peer. */
function killSessions({ lab }: StrikeContext, node: string): boolean {
  const init = lab.initOf(node);
  const sessions = init === null ? [] : processesInside(init).filter(({ command }) => /^sshd: (?!.*\[listener\])/.test(command[0] ?? ''));
  return sessions.map((session) => sendSignal(session, 'SIGKILL')).some(Boolean);
}

async function last(context: StrikeContext, what: Lasting, forMs: number): Promise<Struck> {
  const { lab } = context;
  const machine = what.do === 'stop' ? machineOf(context, what.victim) : context.route[what.side];
  const atMs = Date.now();
  if (what.do === 'fill' && context.hasLocalGuest(machine)) return { hits: 0, losses: [], endedAt: performance.now() };
  const ids = await lab.break(machine, wishOf(what));
  await delay(forMs);
  await lab.heal(({ id }) => ids.includes(id));
  const losses = what.do === 'power' ? GUESTS.map(({ vmid }) => ({ vmid, node: machine, atMs })) : [];
  return { hits: 1, losses, endedAt: performance.now() };
}

function wishOf(what: Lasting): Wish {
  switch (what.do) {
    case 'stop':
      return { kind: 'stop', target: what.victim.program };
    case 'power':
      return { kind: 'power-off' };
    case 'cut':
      return { kind: 'cut', network: what.network, direction: what.direction, peer: null };
    case 'lose':
      return { kind: 'lose', network: what.network, direction: 'both', peer: null, percent: what.percent };
    case 'slow':
      return { kind: 'shape', network: what.network, direction: 'both', rate: what.rate };
    case 'late':
      return { kind: 'delay', network: what.network, direction: 'both', delayMs: what.byMs };
    case 'fill':
      return { kind: 'fill', leaveBytes: 0 };
    case 'slow-disk':
      return { kind: 'slow-disk', writesPerSecond: what.writesPerSecond };
    case 'clock':
      return { kind: 'clock', shift: what.shift };
    default:
      return assertNever(what);
  }
}

function machineOf({ route }: StrikeContext, victim: Victim): string {
  const side: Side | null = 'side' in victim ? victim.side : null;
  return side === null ? 'control' : route[side];
}

/** False when the victim was not there. */
async function found(breaking: Promise<unknown>): Promise<boolean> {
  try {
    await breaking;
    return true;
  } catch (error) {
    if (error instanceof KedgeError && (error.code === 'not-found' || error.code === 'lab-failed')) return false;
    throw error;
  }
}
