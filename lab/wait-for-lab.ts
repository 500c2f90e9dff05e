import { readFileSync } from 'node:fs';
import { connectKedge } from '../src/client/connect-kedge.js';
import type { KedgeClient } from '../src/client/kedge-client.js';
import { parseNodeName } from '../src/domain/ids.js';
import { TEMPORAL_PORT, nodeNames } from './address-plan.js';
import type { LabState } from './lab-state.js';
import { waitUntil } from './processes.js';

const SERVER_TIMEOUT_MS = 30_000;
const NODES_TIMEOUT_MS = 60_000;

/** Waits until the server serves and all nodes send their inventory. @throws KedgeError `server-unreachable`, `lab-failed` */
export async function waitForLab(lab: LabState, progress: (text: string) => void): Promise<void> {
  // Looked at first, since a refused connection costs the client a growing pause.
  await waitUntil('the Temporal server listens', () => isListening(lab), { timeoutMs: SERVER_TIMEOUT_MS });
  const client = await connectLab(lab, SERVER_TIMEOUT_MS);
  try {
    progress(`Temporal server serves at ${lab.temporal.hostAddress}`);
    await client.ensureNamespace();
    // A test's stand-in for the node worker registers nothing.
    if (process.env['KEDGE_LAB_NODE_COMMAND'] !== undefined) return;
    await waitForNodes(client, client.nodes, NODES_TIMEOUT_MS);
    progress(`${client.nodes.join(', ')} serve`);
  } finally {
    await client.close();
  }
}

/** Connects to a lab's server from the host; the caller closes. @throws KedgeError `server-unreachable` */
export function connectLab(lab: LabState, giveUpAfterMs = 5_000): Promise<KedgeClient> {
  return connectKedge({ address: lab.temporal.hostAddress, namespace: 'default', nodes: nodeNames(lab.options.nodes).map(parseNodeName), giveUpAfterMs });
}

function isListening(lab: LabState): boolean {
  const init = lab.machines.find((machine) => machine.role === 'control')?.init ?? null;
  if (init === null) return false;
  // proc(5): address and port in hexadecimal, state 0A is LISTEN.
  const port = TEMPORAL_PORT.toString(16).toUpperCase().padStart(4, '0');
  return ['tcp', 'tcp6'].some((file) => new RegExp(`:${port} [0-9A-F]+:0000 0A `).test(readFileSync(`/proc/${init.pid}/net/${file}`, 'utf8')));
}

async function waitForNodes(client: KedgeClient, nodes: KedgeClient['nodes'], timeoutMs: number): Promise<void> {
  const silent = new Set(nodes);
  await waitUntil(
    'registration of all nodes',
    async () => {
      await Promise.all(
        [...silent].map(async (node) => {
          const status = await client.findNodeStatus(node);
          if (status !== null && status.inventory !== null && status.silentSince === null) silent.delete(node);
        }),
      );
      return silent.size === 0;
    },
    { timeoutMs, pauseMs: 100 },
  );
}
