/** A process with the workers of many simulated nodes; started by fleet-processes.ts. */
import { runNodeTemporalWorkers } from '../../worker/temporal/run-node-workers.js';
import { beginChild, runChild, tell } from './child-side.js';
import { fleetNodes } from './fleet-guests.js';
import { parseToChild } from './fleet-messages.js';
import { SimulatedNode, type HandOver } from './simulated-node.js';

await runChild(async () => {
  const { start, connected } = await beginChild();
  const { nodes, guests, polls, part, parts } = start;
  const answers = new Map<string, () => void>();
  const mine = new Map(
    fleetNodes(start).flatMap((node, at) =>
      at % parts === part ? [[node, new SimulatedNode({ node, at, shape: { nodes, guests }, handOver })] as const] : [],
    ),
  );

  async function handOver(guest: HandOver): Promise<void> {
    const near = mine.get(guest.to);
    if (near !== undefined) near.accept(guest);
    else {
      const id = `${part}-${guest.vmid}-${guest.generation}`;
      const answered = new Promise<void>((resolve) => answers.set(id, resolve));
      tell({ kind: 'handOver', id, ...guest });
      await answered;
      answers.delete(id);
    }
    tell({ kind: 'moved' });
  }

  process.on('message', (raw) => {
    const message = parseToChild(raw);
    if (message.kind === 'handedOver') answers.get(message.id)?.();
    else if (message.kind === 'report') tell({ kind: 'guests', held: [...mine.values()].map((node) => ({ node: node.name, vmids: [...node.guests] })) });
    else {
      mine.get(message.to)?.accept(message);
      tell({ kind: 'handedOver', id: message.id });
    }
  });
  const running = [...mine.values()].map((node) => runNodeTemporalWorkers(connected, { node: node.name, activities: node.activities(), bulkSlots: 2, polls }));
  tell({ kind: 'ready' });
  await Promise.all(running);
});
