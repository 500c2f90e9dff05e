import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { findLeftovers } from '../../domain/audit.js';
import { findKeptCopies } from '../../domain/audit-volumes.js';
import type { KeptCopy, Leftover } from '../../domain/audit-types.js';
import type { CliContext } from '../cli-context.js';
import { collectAudit } from '../collect-audit.js';
import { EXIT_CODES } from '../exit-codes.js';
import { globalOptions, newCommand } from '../new-command.js';
import { printData } from '../render/print-data.js';
import { withCluster } from '../with-cluster.js';

/** `kedge audit`: compares everything on all nodes with what must be there. Changes nothing. */
export function auditCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('audit', {
    description: 'Look on all nodes for anything that should not be there; changes nothing',
    examples: ['kedge audit', 'kedge audit --json | jq .leftovers'],
    notes:
      'Exit code 0: clean. 1: leftovers, or a node that could not be looked at. Disks that were kept by choice (--keep-source) are told, and are no leftovers.',
  })
    .option('--json', 'JSON')
    .action(async (options, command) => {
      const input = await withCluster(context, globalOptions(command), collectAudit);
      const leftovers = findLeftovers(input);
      const report = { leftovers, kept: findKeptCopies(input) };
      printData(context, report, { json: options.json, text: (found) => `${textOf(found.leftovers, input.nodes.length)}${textOfKept(found.kept)}` });
      context.setExitCode(leftovers.length === 0 ? EXIT_CODES.ok : EXIT_CODES.failed);
    });
}

function textOf(leftovers: readonly Leftover[], nodes: number): string {
  if (leftovers.length === 0) return `Clean: ${String(nodes)} ${nodes === 1 ? 'node' : 'nodes'}, nothing left behind\n`;
  return leftovers
    .map(({ node, vmid, kind, what, meaning, remedy }) => {
      const where = [node, vmid === null ? null : `guest ${String(vmid)}`].filter((part) => part !== null).join(', ');
      return `${kind}${where === '' ? '' : ` on ${where}`}: ${what}\n  ${meaning}\n  → ${remedy}\n`;
    })
    .join('');
}

function textOfKept(kept: readonly KeptCopy[]): string {
  return kept
    .map(({ node, vmid, volumeId, migrationId }) => `Kept by choice on ${node}, guest ${String(vmid)}: ${volumeId} (migration ${migrationId}, --keep-source)\n`)
    .join('');
}
