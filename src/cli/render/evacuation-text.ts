import type { EvacuationReport } from '../../domain/evacuation.js';
import { formatDuration } from '../../domain/format-duration.js';

/** What is new in a report since the one before: a line for each move that began or ended, and each guest that was shut down. */
export function evacuationNews(report: EvacuationReport, before: EvacuationReport | null): readonly string[] {
  return [...movesNews(report, before), ...report.shutDown.slice(before?.shutDown.length ?? 0).map((vmid) => `Guest ${vmid} is shut down`)];
}

type Moves = Pick<EvacuationReport, 'moved' | 'moving' | 'failed'>;

/** The same of moves alone. */
export function movesNews(report: Moves, before: Moves | null): readonly string[] {
  const isNew = <Item>(items: readonly Item[], known: readonly Item[] | undefined, same: (one: Item, other: Item) => boolean): readonly Item[] =>
    items.filter((item) => known?.some((other) => same(item, other)) !== true);
  const failed = report.failed?.slice(before?.failed?.length ?? 0) ?? [];
  return [
    ...report.moved.slice(before?.moved.length ?? 0).map(({ vmid, from, to }) => `Guest ${vmid} has moved from ${from} to ${to}`),
    ...failed.map(({ vmid, to, reason }) => `Guest ${vmid} did not move to ${to}: ${reason}`),
    ...isNew(report.moving, before?.moving, (one, other) => one.vmid === other.vmid && one.to === other.to).map(
      ({ vmid, from, to }) => `Guest ${vmid} moves from ${from} to ${to}`,
    ),
  ];
}

/** The present state in one line. */
export function evacuationLine({ node, plan, moved, moving, stayed }: EvacuationReport): string {
  const under = moving.map(({ vmid, to }) => `${vmid} to ${to}`).join(', ');
  return `${node} ${plan === 'evacuate' ? 'is emptied' : 'is filled'}: ${moved.length} moved, ${moving.length} under way${under === '' ? '' : ` (${under})`}, ${stayed.length} wait`;
}

/** The whole at its end. */
export function evacuationEnd(report: EvacuationReport): string {
  const { node, plan, end, moved, shutDown, stayed, startedAt, endedAt } = report;
  const span = endedAt === null ? '' : ` in ${formatDuration(Date.parse(endedAt) - Date.parse(startedAt))}`;
  const what = plan === 'evacuate' ? `Drain of ${node}` : `Undrain of ${node}`;
  const words = { 'done': 'done', 'some-stayed': 'done, some guests stayed', 'cancelled': 'cancelled', 'out-of-time': 'out of time' } as const;
  return [
    `${what} ${end === null ? 'runs' : words[end]}${span}: ${moved.length} ${moved.length === 1 ? 'move' : 'moves'}`,
    ...(shutDown.length === 0 ? [] : [`Shut down and left there: ${shutDown.join(', ')}`]),
    ...stayed.map(({ vmid, reason }) => `Guest ${vmid} stayed: ${reason}`),
    ...(plan === 'evacuate' && end !== null ? [`${node} takes no new guests until "kedge node undrain ${node}" or "kedge node uncordon ${node}"`] : []),
  ].join('\n');
}
