import { formatBytes } from '../../domain/format-bytes.js';
import type { MoveCost, Recommendation } from '../../domain/recommend.js';
import { bytesSpan, durationSpan } from './span-text.js';
import { renderTable, type Column } from './table.js';

interface Row {
  readonly node: string;
  readonly points: string;
  readonly reason: string;
}

const NODES: readonly Column<Row>[] = [
  { heading: 'NODE', cell: ({ node }) => node },
  { heading: 'POINTS', cell: ({ points }) => points, align: 'right' },
  { heading: 'REASON', cell: ({ reason }) => reason },
];

/** A recommendation in words: the advice, its reasons, what the move would cost, how to begin it, and all nodes. */
export function recommendationText(recommendation: Recommendation): string {
  const { vmid, node, advice, best, reasons, cost, now, choices, rejected } = recommendation;
  const advices = {
    move: `Guest ${vmid} would be better on ${best ?? ''} than on ${node}:`,
    stay: `Guest ${vmid} is fine on ${node}:`,
    fixed: `Guest ${vmid} stays on ${node}:`,
  } as const;
  const rows: readonly Row[] = [
    { node: now.node, points: now.points.toFixed(2), reason: `it is there: ${now.reason}` },
    ...choices.map((choice) => ({ ...choice, points: choice.points.toFixed(2) })),
    ...rejected.map((each) => ({ ...each, points: '-' })),
  ];
  return [
    advices[advice],
    ...reasons.map((reason) => `  ${reason}`),
    ...(advice === 'move' && best !== null && cost !== null ? ['', `The move: ${costText(cost)}`, `  $ ${command(recommendation, best, cost)}`] : []),
    '',
    renderTable(NODES, rows),
  ].join('\n');
}

function costText({ way, bytes, durationMs, downtimeMs }: MoveCost): string {
  const ways = { live: 'live', restart: 'shut down, moved and started again', offline: 'as it is, off' } as const;
  const size = bytes.most === 0 ? formatBytes(0) : bytesSpan(bytes);
  const off = downtimeMs === null ? '' : `, it does not run for ${durationSpan(downtimeMs)} of it`;
  return `${ways[way]}, ${size} to send, ${durationSpan(durationMs)}${off}`;
}

function command({ vmid }: Recommendation, best: string, { way }: MoveCost): string {
  return `kedge migrate ${vmid} ${best}${way === 'restart' ? ' --restart' : ''}`;
}
