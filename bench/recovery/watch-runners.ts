import { setTimeout as sleep } from 'node:timers/promises';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { connectQmp } from '../../src/drivers/qmp/connect-qmp.js';
import type { QmpConnection } from '../../src/drivers/qmp/qmp-connection.js';

/** Watches both ends of a switchover that is going to be interrupted: who runs the guest afterwards is not known yet. */
export interface RunnerWatch {
  /** When the guest ran again after it was stopped, on either node; milliseconds since the epoch. */
  runsAgainAt(timeoutMs: number): Promise<number>;
  close(): void;
}

/** Resolves once the source is watched; the target is watched as soon as its QEMU is there. */
export async function watchRunners({ source, target }: { readonly source: string; readonly target: string }): Promise<RunnerWatch> {
  const connections: QmpConnection[] = [];
  const resumed: number[] = [];
  const stopped: number[] = [];
  let isClosed = false;
  const watch = (qmp: QmpConnection): void => {
    connections.push(qmp);
    const note = ({ name, timestampMs }: { readonly name: string; readonly timestampMs: number }): void => {
      if (name === 'RESUME') resumed.push(timestampMs);
      if (name === 'STOP') stopped.push(timestampMs);
    };
    for (const event of qmp.eventsSince(0)) note(event);
    qmp.onEvent(note);
    if (isClosed) qmp.close();
  };
  watch(await connectQmp(source));
  void watchTarget();
  return {
    runsAgainAt: async (timeoutMs) => {
      const deadline = performance.now() + timeoutMs;
      for (;;) {
        const stop = stopped.at(0);
        const again = stop === undefined ? undefined : resumed.find((at) => at > stop);
        if (again !== undefined) return again;
        if (performance.now() > deadline) throw new KedgeError('lab-failed', 'Cannot measure: the guest did not run again');
        await sleep(20);
      }
    },
    close: () => {
      isClosed = true;
      for (const qmp of connections) qmp.close();
    },
  };

  async function watchTarget(): Promise<void> {
    while (!isClosed) {
      try {
        watch(await connectQmp(target));
        return;
      } catch {
        await sleep(5);
      }
    }
  }
}
