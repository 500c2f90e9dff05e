import { readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { CrashMoment, CrashPoint } from '../../src/domain/crash-points.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { BenchMachine } from '../live/bench-node.js';

const RESTART_TIMEOUT_MS = 180_000;

/** A component that the lab supervises on one of its machines: it is started again when it dies. */
export interface Component {
  readonly machine: BenchMachine;
  readonly name: 'worker' | 'control' | 'temporal';
}

/** Starts of the component so far, as its supervisor wrote them down just before each; milliseconds since the epoch. */
export function startsOf({ machine, name }: Component): readonly number[] {
  const lines = readFileSync(machine.fileOf('/var/log/kedge/starts.log'), 'utf8').split('\n');
  return lines.flatMap((line) => {
    const [at, what, component] = line.split(' ');
    return what === 'start' && component === name ? [Number(at?.replace(',', '.')) * 1_000] : [];
  });
}

/** `kill -9`; resolves with the moment at which the supervisor started it again. */
export async function killComponent(component: Component): Promise<number> {
  const before = startsOf(component).length;
  await component.machine.run(['kill', '-9', String(pidOf(component))]);
  return nextStart(component, before);
}

/** Arms a crash point in the component; it dies there by itself. */
export function armCrash({ machine }: Component, { point, moment }: { readonly point: CrashPoint; readonly moment: CrashMoment }): void {
  writeFileSync(machine.fileOf(`/run/kedge/crash/${point}`), moment);
}

/** When the component was started for the time after `before` starts. */
export async function nextStart(component: Component, before: number): Promise<number> {
  const deadline = performance.now() + RESTART_TIMEOUT_MS;
  for (;;) {
    const start = startsOf(component)[before];
    if (start !== undefined) return start;
    if (performance.now() > deadline) throw new KedgeError('lab-failed', `Cannot measure: ${component.name} was not started again`);
    await sleep(5);
  }
}

/** Resident memory in MiB. */
export async function memoryOf(component: Component): Promise<number> {
  const status = await component.machine.run(['cat', `/proc/${pidOf(component)}/status`]);
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 1_024;
}

/** As the machine itself counts: processes inside have a PID namespace of their own. */
function pidOf({ machine, name }: Component): number {
  return Number(readFileSync(machine.fileOf(`/run/kedge/lab/${name}.pid`), 'utf8'));
}
