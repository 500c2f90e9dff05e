/**
 * The program that is a lab's power supply: what a rack's switchable sockets or the machines' management boards are. It runs on the host, outside
 * of all machines, and cuts a node's power when the fence agent (lab/fence-lab.sh) asks it to. `kedge lab up --fencing` starts it.
 *
 *   off <node>     → done           status <node>  → on | off           anything else → a sentence that says why not
 */
import { rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { changeLab } from './change-lab.js';
import { breakMachine } from './faults/break-machine.js';
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
        .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
        .then((answer) => socket.end(`${answer}\n`));
    });
  }).listen(path);
}

async function obey(request: string): Promise<string> {
  const [action, node = ''] = request.split(' ');
  if (machineOf(readLab(name), node).role !== 'node') return `${node} is no node of the lab`;
  if (action === 'status') return isOn(node) ? 'on' : 'off';
  if (action !== 'off') return `The power supply can't "${action ?? ''}"`;
  if (isOn(node)) await changeLab(name, (lab) => breakMachine(lab, node, { kind: 'power-off' }));
  return 'done';
}

function isOn(node: string): boolean {
  const { init } = machineOf(readLab(name), node);
  return init !== null && isAlive(init);
}
