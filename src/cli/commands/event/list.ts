import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { EventFilter } from '../../../domain/events/select-events.js';
import type { CliContext } from '../../cli-context.js';
import { followEvents } from '../../follow-events.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { eventLine } from '../../render/event-line.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

const SINCE = '24h';
const LATEST = 100;

/** `kedge event list`: what has happened, and with --follow what happens. */
export function eventListCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('list', {
    description: 'List what has happened in the cluster, newest last',
    examples: [
      'kedge event list',
      'kedge event list --follow --kind failure,needs-operator',
      'kedge event list --node node2 --since 30d',
      'kedge event list --vmid 101 --since 2026-03-01T00:00:00Z --json',
    ],
    notes:
      'The history of one node or guest is what --node or --vmid leave of it; up to 30 days are kept. Kinds: start, end, failure, needs-operator, note, hook, or a ' +
      'single one like migration-failed.\nA question to an operator is told while it is open.',
  })
    .option('--follow', 'go on with what happens, each event once; Ctrl-C ends it')
    .option('--since <when>', `a span like 2h, or an instant (default: ${SINCE})`, parseArgument.past)
    .option('--node <node>', 'only what is about this node', parseArgument.node)
    .option('--vmid <vmid>', 'only what is about this guest', parseArgument.vmid)
    .option('--kind <kinds>', 'only these kinds, separated by commas', parseArgument.eventSorts)
    .option('--limit <count>', `the newest so many (default: ${String(LATEST)})`, parseArgument.integer(1))
    .option('--json', 'JSON; with --follow one object a line')
    .action(async (options, command) => {
      const { node, vmid } = options;
      const filter: EventFilter = {
        since: options.since ?? parseArgument.past(SINCE),
        limit: options.limit ?? LATEST,
        ...(node === undefined ? {} : { node }),
        ...(vmid === undefined ? {} : { vmid }),
        ...(options.kind === undefined ? {} : { sorts: options.kind }),
      };
      await withCluster(context, globalOptions(command), async (cluster) => {
        if (options.follow === true) await followEvents(context, cluster, { filter, json: options.json === true });
        else printData(context, await cluster.events.list(filter), { json: options.json, text: (all) => all.map(eventLine).join('') || 'No events\n' });
      });
    });
}
