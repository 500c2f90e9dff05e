import { join } from 'node:path';

/** The files of one guest's QEMU process, all in its run folder (`/run/kedge/qemu/<vmid>`). */
export interface RunFiles {
  readonly folder: string;
  readonly pidFile: string;
  /** QMP socket for effects: one client, the node worker. */
  readonly controlSocket: string;
  /** QMP socket for onlookers. */
  readonly observerSocket: string;
  /** What QEMU wrote to stderr in its newest run; the run before is kept as `stderr.previous.log`. */
  readonly stderrFile: string;
  readonly previousStderrFile: string;
  /** Socket of the guest agent. */
  readonly agentSocket: string;
}

/** Names the files in the run folder of a guest. */
export function runFiles(folder: string): RunFiles {
  return {
    folder,
    pidFile: join(folder, 'pid'),
    controlSocket: join(folder, 'control.qmp'),
    observerSocket: join(folder, 'observer.qmp'),
    stderrFile: join(folder, 'stderr.log'),
    previousStderrFile: join(folder, 'stderr.previous.log'),
    agentSocket: join(folder, 'agent.sock'),
  };
}

/** Socket and log of serial port `index`. */
export function serialFiles(folder: string, index: number): { readonly socket: string; readonly log: string } {
  return { socket: join(folder, `serial${index}.sock`), log: join(folder, `serial${index}.log`) };
}
