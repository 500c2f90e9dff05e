import type { BalanceReport, BalancerNote } from '../../domain/balance/balance.js';
import { formatDuration } from '../../domain/format-duration.js';
import { renderTable, type Column } from './table.js';

const NODES: readonly Column<BalanceReport['nodes'][number]>[] = [
  { heading: 'NODE', cell: ({ node }) => node },
  { heading: 'FULL BEFORE', cell: ({ before }) => percent(before), align: 'right' },
  { heading: 'NOW', cell: ({ now }) => percent(now), align: 'right' },
];

/** The present state in one line. */
export function balanceLine({ moved, moving }: BalanceReport): string {
  const under = moving.map(({ vmid, to }) => `${vmid} to ${to}`).join(', ');
  return `Balance: ${moved.length} moved, ${moving.length} under way${under === '' ? '' : ` (${under})`}`;
}

/** The whole, while it runs or at its end; without a newline at its end. */
export function balanceText(report: BalanceReport): string {
  const { end, moved, failed, stayed, nodes, startedAt, endedAt, requestedBy } = report;
  const span = endedAt === null ? '' : ` in ${formatDuration(Date.parse(endedAt) - Date.parse(startedAt))}`;
  const words = {
    'done': 'done, all nodes are near the mean',
    'no-better': 'ended, no other move is worth its cost, or allowed',
    'most-moves': 'ended at its limit of moves',
    'failing': 'given up, its moves fail',
    'blackout': 'ended, what would move next may not in a blackout',
    'out-of-time': 'out of time',
    'cancelled': 'cancelled',
  } as const;
  return [
    `Balance by ${requestedBy} ${end === null ? 'runs' : words[end]}${span}: ${moved.length} ${moved.length === 1 ? 'move' : 'moves'}`,
    ...moved.map(({ vmid, from, to }) => `Guest ${vmid} has moved from ${from} to ${to}`),
    ...failed.map(({ vmid, to, reason }) => `Guest ${vmid} did not move to ${to}: ${reason}`),
    ...stayed.map(({ vmid, reason }) => `Guest ${vmid} stayed: ${reason}`),
    ...(nodes.length === 0 ? [] : ['', renderTable(NODES, nodes).trimEnd()]),
  ].join('\n');
}

/** Where the balancer stands; null: it does not run. */
export function balancerText(note: BalancerNote | null): string {
  if (note === null) return 'Balancer: off';
  const cooling = note.cooling === 0 ? '' : `; ${note.cooling} guests are left alone for a time`;
  return note.at === null ? `Balancer: on, ${note.text}` : `Balancer: on, looked at ${note.at}: ${note.text}${cooling}`;
}

const percent = (share: number): string => `${Math.round(share * 100)} %`;
