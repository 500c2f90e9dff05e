import { ERROR_CODES } from '../../domain/error-codes.js';
import { formatBytes } from '../../domain/format-bytes.js';
import type { Placement } from '../../domain/plan/place.js';
import type { Plan, PlannedMove, Unplanned } from '../../domain/plan/plan.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_CODES } from '../exit-codes.js';
import { renderTable, type Column } from './table.js';

interface NumberedMove extends PlannedMove {
  readonly number: number;
}

const MOVES: readonly Column<NumberedMove>[] = [
  { heading: 'MOVE', cell: ({ number }) => String(number), align: 'right' },
  { heading: 'GUEST', cell: ({ vmid }) => String(vmid) },
  { heading: 'FROM', cell: ({ from }) => from },
  { heading: 'TO', cell: ({ to }) => to },
  { heading: 'WAY', cell: ({ way }) => way },
  { heading: 'SIZE', cell: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { heading: 'AFTER', cell: ({ after }) => after.map((at) => at + 1).join(', ') || '-' },
  { heading: 'REASON', cell: ({ reason }) => reason },
];
const STAYING: readonly Column<Unplanned>[] = [
  { heading: 'GUEST', cell: ({ vmid }) => String(vmid) },
  { heading: 'NODE', cell: ({ node }) => node },
  { heading: 'STAYS', cell: ({ outcome }) => outcome },
  { heading: 'REASON', cell: ({ reason, rejected }) => [reason, ...rejected.map((each) => `${each.node}: ${each.reason}`)].join('; ') },
];
const NODES: readonly Column<Plan['nodes'][number]>[] = [
  { heading: 'NODE', cell: ({ node }) => node },
  { heading: 'FULL NOW', cell: ({ before }) => percent(before), align: 'right' },
  { heading: 'THEN', cell: ({ after }) => percent(after), align: 'right' },
];
const CHOICES: readonly Column<Placement['now']>[] = [
  { heading: 'NODE', cell: ({ node }) => node },
  { heading: 'POINTS', cell: ({ points }) => points.toFixed(2), align: 'right' },
  { heading: 'REASON', cell: ({ reason }) => reason },
];
const REJECTED: readonly Column<Placement['rejected'][number]>[] = [
  { heading: 'NOT', cell: ({ node }) => node },
  { heading: 'REASON', cell: ({ reason }) => reason },
];

/** Prints a plan: moves in their order, who stays and why, and how full the nodes get. */
export function printPlan(context: CliContext, plan: Plan, options: { json?: true | undefined }): void {
  context.setExitCode(plan.unplanned.length === 0 ? EXIT_CODES.ok : ERROR_CODES['migration-refused'].exitCode);
  if (options.json === true) {
    context.out(`${JSON.stringify(plan, undefined, 2)}\n`);
    return;
  }
  const moves = plan.moves.map((move, at) => ({ ...move, number: at + 1 }));
  const parts = [
    moves.length === 0 ? 'Nothing is to be moved.\n' : renderTable(MOVES, moves),
    ...(plan.unplanned.length === 0 ? [] : [renderTable(STAYING, plan.unplanned)]),
    renderTable(NODES, plan.nodes),
  ];
  context.out(parts.join('\n'));
}

/** Prints what each node is worth as a place for a guest. */
export function printPlacement(context: CliContext, placement: Placement, options: { json?: true | undefined }): void {
  context.setExitCode(placement.choices.length > 0 && placement.stays === null ? EXIT_CODES.ok : ERROR_CODES['migration-refused'].exitCode);
  if (options.json === true) {
    context.out(`${JSON.stringify(placement, undefined, 2)}\n`);
    return;
  }
  const { now, choices, rejected, stays } = placement;
  const parts = [
    ...(stays === null ? [] : [`It stays where it is: ${stays}.\n`]),
    renderTable(CHOICES, [{ ...now, reason: `it is there: ${now.reason}` }, ...choices]),
    ...(rejected.length === 0 ? [] : [renderTable(REJECTED, rejected)]),
  ];
  context.out(parts.join('\n'));
}

const percent = (share: number): string => (Number.isFinite(share) ? `${String(Math.round(share * 100))} %` : 'over');
