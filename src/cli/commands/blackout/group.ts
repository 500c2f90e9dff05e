import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { Blackout } from '../../../domain/window/blackout.js';
import type { Occurrence } from '../../../domain/window/window.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand, newGroup } from '../../new-command.js';
import { printData } from '../../render/print-data.js';
import { renderTable } from '../../render/table.js';

const SHOWN = 10;

/** `kedge blackout …`. */
export function blackoutCommands(context: CliContext): CommandUnknownOpts {
  return newGroup('blackout', { description: 'List the times in which no guest is moved', commands: [listCommand(context)] });
}

interface Listed extends Blackout {
  /** RFC 3339; null: it is off now. */
  readonly onUntil: string | null;
  /** The first one may be on. */
  readonly next: readonly Occurrence[];
}

/** Needs no server: all that there is to know is in kedge.yaml. */
function listCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('list', {
    description: 'List the blackouts of kedge.yaml, whether each is on now, and its next ten occurrences',
    examples: ['kedge blackout list', 'kedge blackout list --json'],
    notes: 'Times are shown in UTC. What counts is the kedge.yaml of the control workers: it should be the same everywhere.',
  })
    .option('--json', 'JSON')
    .action(async (options, command) => {
      const [{ findConfig }, { loadClusterConfig }] = await Promise.all([import('../../find-config.js'), import('../../../config/load-cluster-config.js')]);
      const { blackouts } = await loadClusterConfig(await findConfig(globalOptions(command), context.environment));
      const listed = blackouts.length === 0 ? [] : await withTimes(blackouts, new Date(context.now()).toISOString());
      printData(context, listed, { json: options.json, text: textOf });
    });
}

async function withTimes(blackouts: readonly Blackout[], now: string): Promise<readonly Listed[]> {
  const [{ openBlackouts }, { nextOccurrences }] = await Promise.all([
    import('../../../schema/blackout-times.js'),
    import('../../../schema/window-occurrences.js'),
  ]);
  return blackouts.map((blackout) => ({
    ...blackout,
    onUntil: openBlackouts([blackout], now)[0]?.endsAt ?? null,
    next: nextOccurrences(blackout, { from: now, count: SHOWN, skipped: [] }),
  }));
}

function textOf(listed: readonly Listed[]): string {
  if (listed.length === 0) return 'No blackouts\n';
  const table = renderTable(
    [
      { heading: 'BLACKOUT', cell: ({ name }: Listed) => name },
      { heading: 'STATE', cell: ({ onUntil }) => (onUntil === null ? 'off' : `on until ${onUntil}`) },
      { heading: 'NODES', cell: ({ nodes }) => nodes?.join(',') ?? 'all' },
      { heading: 'GUESTS', cell: ({ guests }) => guests?.join(',') ?? 'all' },
    ],
    listed,
  );
  const times = listed.map(({ name, zone, next }) => {
    const lines = next.length === 0 ? ['  never again\n'] : next.map(({ opensAt, closesAt }) => `  ${opensAt} to ${closesAt}\n`);
    return `Next of ${name} in ${zone}, shown in UTC:\n${lines.join('')}`;
  });
  return [table, ...times].join('');
}
