/**
 * The program that is a lab's power supply: what a rack's switchable sockets or the machines' management boards are. It runs on the host, outside
 * of all machines, and cuts a node's power when the fence agent (lab/fence-lab.sh) asks it to, or resets it when its own `reboot`
 * (lab/reboot-lab.sh) does. `kedge lab up --fencing` starts it.
 *
 *   off <node>     → done           status <node>  → on | off           anything else → a sentence that says why not
 *   cycle <node>   → done, before it is: who asks may be on the node
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { changeLab } from './change-lab.js';
import { breakMachine } from './faults/break-machine.js';
import { healBreaks } from './faults/heal-machine.js';
import { labFolder } from './lab-folder.js';
import { machineOf, readLab } from './lab-store.js';
import { isAlive } from './processes.js';

const [name = ''] = process.argv.slice(2);
const LONGEST_REQUEST = 200;

serve(labFolder(name).powerSocket);

function serve(path: string): void {
  rmSync(path, { force: true });
  // Half-open: the agent ends its request by closing its side, and waits for the answer.
  createServer({ allowHalfOpen: true }, (socket) => {
    let request = '';
    socket.on('error', () => undefined);
    socket.setEncoding('utf8').on('data', (part: string) => {
      request = (request + part).slice(0, LONGEST_REQUEST);
    });
    socket.once('end', () => {
      void obey(request.trim())
        .catch((error: unknown): Obeyed => ({ answer: error instanceof Error ? error.message : String(error) }))
        .then(({ answer, afterwards }) => {
          socket.end(`${answer}\n`);
          return afterwards?.();
        })
        .catch((error: unknown) => process.stderr.write(`power supply: ${error instanceof Error ? error.message : String(error)}\n`));
    });
  }).listen(path);
}

interface Obeyed {
  readonly answer: string;
  /** What is done once the answer is out. */
  readonly afterwards?: () => Promise<void>;
}

async function obey(request: string): Promise<Obeyed> {
  const [action, node = ''] = request.split(' ');
  if (machineOf(readLab(name), node).role !== 'node') return { answer: `${node} is no node of the lab` };
  switch (action) {
    case 'status':
      return { answer: isOn(node) ? 'on' : 'off' };
    case 'off':
      await cut(node);
      return { answer: 'done' };
    case 'cycle':
      return { answer: 'done', afterwards: () => cycle(node) };
    default:
      return { answer: `The power supply can't "${action ?? ''}"` };
  }
}

async function cut(node: string): Promise<void> {
  if (isOn(node)) await changeLab(name, (lab) => breakMachine(lab, node, { kind: 'power-off' }));
}

async function cycle(node: string): Promise<void> {
  await cut(node);
  await changeLab(name, (lab) => healBreaks(lab, ({ machine, fault }) => machine === node && fault.kind === 'power-off'));
}

function isOn(node: string): boolean {
  const { init } = machineOf(readLab(name), node);
  return init !== null && isAlive(init);
}
