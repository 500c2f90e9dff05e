import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { formatBytes } from '../../../domain/format-bytes.js';
import { formatDuration } from '../../../domain/format-duration.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { Vmid } from '../../../domain/ids.js';
import type { CliContext } from '../../cli-context.js';
import type { Cluster } from '../../cluster.js';
import { guestPlaces, type GuestPlace } from '../../guest-places.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { renderTable } from '../../render/table.js';
import { withCluster } from '../../with-cluster.js';

interface GuestStory {
  readonly vmid: Vmid;
  /** What every node says of it. */
  readonly places: readonly GuestPlace[];
  /** Answer of the owner; null when no node owns it or the owner is silent. */
  readonly owner: Awaited<ReturnType<Cluster['manageGuest']>> | null;
}

/** `kedge guest show <vmid>`: what every node says of the guest, and its config. */
export function guestShowCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('show', {
    description: 'Show what every node says of a guest: record, process; and its config',
    examples: ['kedge guest show 101', 'kedge guest show 101 --json'],
  })
    .argument('<vmid>', 'the guest', parseArgument.vmid)
    .option('--json', 'JSON')
    .action(async (vmid, options, command) => {
      const story = await withCluster(context, globalOptions(command), (cluster) => readStory(cluster, vmid));
      printData(context, story, { json: options.json, text: textOf });
    });
}

async function readStory(cluster: Cluster, vmid: Vmid): Promise<GuestStory> {
  const places = guestPlaces(await cluster.listNodes()).filter((place) => place.guest.vmid === vmid);
  if (places.length === 0) throw new KedgeError('not-found', `Cannot find guest ${String(vmid)}: no node reports it`);
  const owning = places.find((place) => place.guest.record === 'owned');
  if (owning === undefined) return { vmid, places, owner: null };
  // What the inventories say is worth showing even when the owner itself gives no answer now.
  const owner = await cluster.manageGuest({ node: owning.node, command: { verb: 'show', vmid } }).catch(() => null);
  return { vmid, places, owner };
}

function textOf({ vmid, places, owner }: GuestStory): string {
  const guest = owner?.guest ?? places.find((place) => place.guest.record === 'owned')?.guest ?? places[0]?.guest;
  const heading =
    guest === undefined ? '' : `Guest ${String(vmid)} (${guest.name}): ${guest.kind}, ${formatBytes(guest.memoryBytes)}, ${String(guest.cores)} cores\n\n`;
  const table = renderTable(
    [
      { heading: 'NODE', cell: (place: GuestPlace) => place.node },
      { heading: 'RECORD', cell: ({ guest: { record, generation } }) => `${record}${generation === null ? '' : `(${String(generation)})`}` },
      { heading: 'WANTED', cell: ({ guest: { wanted } }) => wanted ?? '?' },
      { heading: 'PROCESS', cell: ({ guest: { qemu } }) => qemu },
      { heading: 'MIGRATION', cell: ({ guest: { migrationId } }) => migrationId ?? '' },
      { heading: 'SEEN', cell: ({ ageMs }) => (ageMs === null ? '?' : `${formatDuration(ageMs)} ago`), align: 'right' },
    ],
    places,
  );
  const missing = owner === null ? '\nNo owner answers: the table is what the nodes last reported.\n' : '';
  return `${heading}${table}${missing}${owner?.config == null ? '' : `\n${owner.config.trimEnd()}\n`}`;
}
