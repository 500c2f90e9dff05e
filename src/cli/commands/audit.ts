import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { findLeftovers } from '../../domain/audit.js';
import { findKeptCopies } from '../../domain/audit-volumes.js';
import type { KeptCopy, Leftover } from '../../domain/audit-types.js';
import type { CliContext } from '../cli-context.js';
import { collectAudit } from '../collect-audit.js';
import { EXIT_CODES } from '../exit-codes.js';
import { globalOptions, newCommand } from '../new-command.js';
import { leftoverText, triedText } from '../render/leftover-text.js';
import { printData } from '../render/print-data.js';
import { repairLeftovers } from '../repair-leftovers.js';
import { withCluster } from '../with-cluster.js';

/** `kedge audit`: compares everything on all nodes with what must be there; with `--repair` mends what can be mended safely. */
export function auditCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('audit', {
    description: 'Look on all nodes for anything that should not be there; changes nothing without --repair',
    examples: ['kedge audit', 'kedge audit --json | jq .leftovers', 'kedge audit --repair'],
    notes:
      'Exit code 0: clean. 1: leftovers, or a node that could not be looked at; with --repair those that are left after it. Each repair looks again\n' +
      'before it acts; disks that may hold data are never removed. Disks that were kept by choice (--keep-source) are told, and are no leftovers.',
  })
    .option('--json', 'JSON')
    .option('--repair', 'do the repairs that are safe, one by one, then look again')
    .action(async (options, command) => {
      const { tried, input } = await withCluster(context, globalOptions(command), async (cluster) => {
        const found = await collectAudit(cluster);
        return options.repair === true ? repairLeftovers(cluster, found, findLeftovers) : { tried: [], input: found };
      });
      const leftovers = findLeftovers(input);
      const report = { leftovers, kept: findKeptCopies(input), ...(options.repair === true ? { repairs: tried } : {}) };
      printData(context, report, {
        json: options.json,
        text: (found) => `${tried.map(triedText).join('')}${textOf(found.leftovers, input.nodes.length)}${textOfKept(found.kept)}`,
      });
      context.setExitCode(leftovers.length === 0 ? EXIT_CODES.ok : EXIT_CODES.failed);
    });
}

function textOf(leftovers: readonly Leftover[], nodes: number): string {
  if (leftovers.length === 0) return `Clean: ${String(nodes)} ${nodes === 1 ? 'node' : 'nodes'}, nothing left behind\n`;
  return leftovers.map(leftoverText).join('');
}

function textOfKept(kept: readonly KeptCopy[]): string {
  return kept
    .map(({ node, vmid, volumeId, migrationId }) => `Kept by choice on ${node}, guest ${String(vmid)}: ${volumeId} (migration ${migrationId}, --keep-source)\n`)
    .join('');
}
