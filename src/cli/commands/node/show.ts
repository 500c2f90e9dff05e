import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { formatBytes } from '../../../domain/format-bytes.js';
import type { NodeInventory, NodeStatus, StorageFacts } from '../../../domain/node-facts.js';
import type { CliContext } from '../../cli-context.js';
import { findNode } from '../../find-node.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { nodeState } from '../../render/node-state.js';
import { printData } from '../../render/print-data.js';
import { renderTable } from '../../render/table.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node show <node>`: all that a node reports of itself. */
export function nodeShowCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('show', {
    description: 'Show what a node reports: versions, processor, memory, storages, bridges, guests',
    examples: ['kedge node show node1', 'kedge node show node1 --json'],
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      const status = await withCluster(context, globalOptions(command), (cluster) => findNode(cluster, node));
      printData(context, status, { json: options.json, text: (one) => textOf(one, context.now()) });
    });
}

function textOf(status: NodeStatus, nowMs: number): string {
  const heading = `Node ${status.node}: ${nodeState(status, nowMs)}\n  boot      ${status.bootId ?? 'none registered'}${status.registeredAt === null ? '' : `, registered ${status.registeredAt}`}\n`;
  return status.inventory === null ? `${heading}  It has reported nothing yet.\n` : `${heading}${inventoryText(status.inventory)}`;
}

function inventoryText(inventory: NodeInventory): string {
  const { versions, cpu, memory, guests } = inventory;
  const owned = guests.filter((guest) => guest.record === 'owned').map((guest) => `${String(guest.vmid)} ${guest.name}`);
  return [
    `  reported  ${inventory.at}\n`,
    `  versions  Kedge ${versions.kedge} (protocol ${spoken(versions)}), QEMU ${versions.qemu}\n`,
    `  processor ${String(cpu.cores)} × ${cpu.model}, ${cpu.accelerator}, load ${inventory.load.toFixed(2)}\n`,
    `  memory    ${formatBytes(memory.availableBytes)} free of ${formatBytes(memory.totalBytes)}\n`,
    `  bridges   ${inventory.bridges.join(', ') || 'none'}\n`,
    `  guests    ${owned.join(', ') || 'none'}\n`,
    ...(inventory.problems ?? []).map((problem) => `  problem   ${problem}\n`),
    '\n',
    renderTable<StorageFacts>(
      [
        { heading: 'STORAGE', cell: (storage) => storage.id },
        { heading: 'TYPE', cell: (storage) => storage.type },
        { heading: 'SHARED', cell: (storage) => (storage.shared ? 'yes' : 'no') },
        { heading: 'ENABLED', cell: (storage) => (storage.enabled ? 'yes' : 'no') },
        { heading: 'FREE', cell: (storage) => formatBytes(storage.freeBytes), align: 'right' },
        { heading: 'SIZE', cell: (storage) => formatBytes(storage.totalBytes), align: 'right' },
      ],
      inventory.storages,
    ),
  ].join('');
}

/** Its own version, and the oldest that it still speaks. */
function spoken({ protocol, protocolOldest }: NodeInventory['versions']): string {
  return protocolOldest === undefined || protocolOldest === protocol ? String(protocol) : `${protocol}, down to ${protocolOldest}`;
}
