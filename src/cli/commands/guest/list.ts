import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { formatBytes } from '../../../domain/format-bytes.js';
import type { CliContext } from '../../cli-context.js';
import { guestPlaces, type GuestPlace } from '../../guest-places.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { renderTable } from '../../render/table.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge guest list`: which node owns which guest, and what it does. */
export function guestListCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('list', {
    description: 'List the guests of the cluster with their nodes and states',
    examples: ['kedge guest list', 'kedge guest list --node node1', 'kedge guest list --all --json'],
  })
    .option('--node <node>', 'only those of this node', parseArgument.node)
    .option('--all', 'also records that are no ownership: incoming, released, revoked')
    .option('--json', 'JSON')
    .action(async (options, command) => {
      const nodes = await withCluster(context, globalOptions(command), (cluster) => cluster.listNodes());
      const wanted = guestPlaces(nodes)
        .filter((place) => options.node === undefined || place.node === options.node)
        .filter((place) => options.all === true || !isTombstone(place));
      printData(context, wanted, { json: options.json, text: tableOf });
    });
}

/** After a migration the other node keeps a record that says so; it is no guest. */
const isTombstone = (place: GuestPlace): boolean => (place.guest.record === 'released' || place.guest.record === 'revoked') && place.guest.qemu === 'gone';

function tableOf(places: readonly GuestPlace[]): string {
  if (places.length === 0) return 'No guests\n';
  return renderTable(
    [
      { heading: 'VMID', cell: ({ guest }) => String(guest.vmid), align: 'right' },
      { heading: 'NAME', cell: ({ guest }) => guest.name },
      { heading: 'NODE', cell: ({ node }) => node },
      { heading: 'KIND', cell: ({ guest }) => guest.kind },
      { heading: 'STATE', cell: ({ guest }) => (guest.qemu === 'gone' ? 'off' : guest.qemu) },
      { heading: 'WANTED', cell: ({ guest }) => guest.wanted ?? '?' },
      { heading: 'RECORD', cell: ({ guest }) => `${guest.record}${guest.generation === null ? '' : `(${String(guest.generation)})`}` },
      { heading: 'MEMORY', cell: ({ guest }) => formatBytes(guest.memoryBytes), align: 'right' },
      { heading: 'CORES', cell: ({ guest }) => String(guest.cores), align: 'right' },
      { heading: 'MIGRATION', cell: ({ guest }) => (guest.record === 'owned' ? (guest.migrationId ?? '') : '') },
    ],
    places,
  );
}
