import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { reconcileFindings, reconcileGuest, type GuestAt, type Reconciliation, type Verdict } from '../../domain/reconcile.js';
import type { CliContext } from '../cli-context.js';
import { collectAudit } from '../collect-audit.js';
import { EXIT_CODES } from '../exit-codes.js';
import { globalOptions, newCommand } from '../new-command.js';
import { parseArgument } from '../parse-arguments.js';
import { leftoverText, triedText } from '../render/leftover-text.js';
import { printData } from '../render/print-data.js';
import { renderTable } from '../render/table.js';
import { repairLeftovers, type TriedRepair } from '../repair-leftovers.js';
import { withCluster } from '../with-cluster.js';

/** `kedge reconcile <vmid>`: asks all nodes who really has a guest and decides what settles it; with `--repair` does it. */
export function reconcileCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('reconcile', {
    description: 'Find out which node really has a guest, and settle it; changes nothing without --repair',
    examples: ['kedge reconcile 101', 'kedge reconcile 101 --repair', 'kedge reconcile 101 --json | jq .verdict'],
    notes: 'Exit code 0: settled, or its migration settles it. 1: something is to be repaired, waited for, or decided; or no node knows the guest.',
  })
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .option('--json', 'JSON')
    .option('--repair', 'do what is shown as repair, one by one, then look again')
    .action(async (vmid, options, command) => {
      const { tried, input } = await withCluster(context, globalOptions(command), async (cluster) => {
        const found = await collectAudit(cluster);
        return options.repair === true ? repairLeftovers(cluster, found, (latest) => reconcileFindings(latest, vmid)) : { tried: [], input: found };
      });
      const result = reconcileGuest(input, vmid);
      printData(context, options.repair === true ? { ...result, repairs: tried } : result, { json: options.json, text: () => textOf(result, tried) });
      context.setExitCode(FINE.includes(result.verdict) ? EXIT_CODES.ok : EXIT_CODES.failed);
    });
}

const FINE: readonly Verdict[] = ['settled', 'migrating'];

function textOf(result: Reconciliation, tried: readonly TriedRepair[]): string {
  const table = renderTable(
    [
      { heading: 'NODE', cell: (place: GuestAt) => place.node },
      { heading: 'RECORD', cell: ({ record, generation }) => `${record}${generation === null ? '' : `(${String(generation)})`}` },
      { heading: 'WANTED', cell: ({ wanted }) => wanted ?? '?' },
      { heading: 'PROCESS', cell: ({ qemu }) => qemu },
      { heading: 'CONFIG', cell: ({ config }) => (config ? 'yes' : 'no') },
      { heading: 'MIGRATION', cell: ({ migrationId }) => migrationId ?? '' },
    ],
    result.places,
  );
  const silent = result.unreached.map(({ node, reason }) => `${node} is silent: ${reason}\n`).join('');
  const findings = result.findings.map(leftoverText).join('');
  return `${tried.map(triedText).join('')}${result.places.length === 0 ? '' : `${table}\n`}${silent}${result.verdict}: ${result.says}\n${findings}`;
}
