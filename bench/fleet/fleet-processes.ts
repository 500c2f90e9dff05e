/** Starts the processes of the fleet, passes their messages on, and ends them. */
import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { NodeName, Vmid } from '../../src/domain/ids.js';
import { fleetNodes } from './fleet-guests.js';
import { parseFromChild, type ChildStart, type FromChild, type ToChild } from './fleet-messages.js';

/** With the first process and that of the control worker four, beside the server. */
const NODE_PROCESSES = 2;

/** What they have told. */
export interface FleetReport {
  readonly held: readonly { readonly node: NodeName; readonly vmids: readonly Vmid[] }[];
  readonly looksMs: readonly number[];
  readonly failedLooks: number;
}

export interface FleetProcesses {
  readonly controlPid: number;
  readonly nodePids: readonly number[];
  /** Guests that have changed their node so far. */
  moved(): number;
  /** Rejects when one of them has ended; never resolves. */
  readonly broken: Promise<never>;
  report(): Promise<FleetReport>;
  /** At once: they hold nothing that has to be given back. */
  kill(): void;
}

/** Resolves when all of them run. */
export async function startFleetProcesses(start: Omit<ChildStart, 'part' | 'parts'>): Promise<FleetProcesses> {
  const children: ChildProcess[] = [];
  const kill = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  process.once('exit', kill);
  const control = begin('./control-process.js', { ...start, part: 0, parts: 1 });
  const nodes = Array.from({ length: NODE_PROCESSES }, (_, part) => begin('./node-process.js', { ...start, part, parts: NODE_PROCESSES }));
  const hosts = new Map(fleetNodes(start).map((node, at) => [node, nodes[at % NODE_PROCESSES]]));
  /** Who waits for the answer to which hand-over. */
  const asking = new Map<string, ChildProcess>();
  let moved = 0;

  for (const child of children) {
    listen(child, (message) => {
      if (message.kind === 'moved') moved += 1;
      else if (message.kind === 'handOver') {
        asking.set(message.id, child);
        tellChild(hosts.get(message.to), message);
      } else if (message.kind === 'handedOver') {
        tellChild(asking.get(message.id), message);
        asking.delete(message.id);
      }
    });
  }
  const broken = Promise.race(children.map(endOf));
  // Whoever waits races with it; until somebody does, it is nobody's unhandled rejection.
  broken.catch(() => undefined);
  await Promise.race([Promise.all(children.map((child) => next(child, 'ready'))), broken]);
  return {
    controlPid: pidOf(control),
    nodePids: nodes.map(pidOf),
    moved: () => moved,
    broken,
    kill,
    report: async () => {
      const answers = Promise.all([next(control, 'looks'), Promise.all(nodes.map((child) => next(child, 'guests')))]);
      for (const child of children) tellChild(child, { kind: 'report' });
      const [looks, held] = await Promise.race([answers, broken]);
      return { looksMs: looks.tookMs, failedLooks: looks.failed, held: held.flatMap((told) => told.held) };
    },
  };

  function begin(file: string, argument: ChildStart): ChildProcess {
    const child = fork(fileURLToPath(new URL(file, import.meta.url)), [JSON.stringify(argument)], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    children.push(child);
    return child;
  }
}

function listen(child: ChildProcess, hear: (message: FromChild) => void): void {
  child.on('message', (raw) => hear(parseFromChild(raw)));
}

function tellChild(child: ChildProcess | undefined, message: ToChild): void {
  if (child?.connected === true) child.send(message);
}

/** The next message of this kind. */
function next<Kind extends FromChild['kind']>(child: ChildProcess, kind: Kind): Promise<Extract<FromChild, { kind: Kind }>> {
  return new Promise((resolve) => {
    const hear = (raw: unknown): void => {
      const message = parseFromChild(raw);
      if (!isKind(message, kind)) return;
      child.off('message', hear);
      resolve(message);
    };
    child.on('message', hear);
  });
}

function isKind<Kind extends FromChild['kind']>(message: FromChild, kind: Kind): message is Extract<FromChild, { kind: Kind }> {
  return message.kind === kind;
}

function endOf(child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    listen(child, (message) => {
      if (message.kind === 'failed') reject(new KedgeError('internal', `A process of the fleet failed: ${message.reason}`));
    });
    child.once('error', (error) => reject(error));
    child.once('exit', (code, signal) => reject(new KedgeError('internal', `A process of the fleet ended with ${code ?? signal ?? 'nothing'}`)));
  });
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new KedgeError('internal', 'A process of the fleet could not be started');
  return pid;
}
