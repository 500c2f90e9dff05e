import type { AdmissionView } from '../commands/admission/admission-view.js';
import type { SlotRequest } from '../../domain/admission.js';
import type { LimitName, LimitRow } from '../../domain/admission-limits.js';
import type { Blocker, SlotStorage } from '../../domain/admission-use.js';
import { formatBytes } from '../../domain/format-bytes.js';
import { renderTable, type Column } from './table.js';

/** What each limit counts, for people. */
const LIMIT_TEXTS: Readonly<Record<LimitName, string>> = {
  cluster: 'moves of the cluster',
  perNode: 'moves at a node',
  in: 'moves into a node',
  out: 'moves out of a node',
  perNetwork: 'moves over a network',
  bandwidth: 'bytes per second of a network',
  perStorage: 'moves to a storage',
};

/** All of `kedge admission show`. */
export function admissionText({ leases, waiting, limits }: AdmissionView): string {
  return [
    leases.length === 0
      ? 'Nobody moves a guest\n'
      : renderTable<SlotRequest>([...REQUEST_COLUMNS, { heading: 'MAY TAKE', cell: ({ bandwidth }) => rate(bandwidth ?? null) }], leases),
    '\n',
    waiting.length === 0
      ? 'Nobody waits\n'
      : renderTable<AdmissionView['waiting'][number]>(
          [...REQUEST_COLUMNS, { heading: 'WAITS FOR', cell: ({ waitsFor }) => waitsFor.map(blockerText).join('; ') || 'its turn, now' }],
          waiting,
        ),
    '\n',
    limitsText(limits),
  ].join('');
}

/** The limits that hold, and where they come from. */
export function limitsText({ now, live }: AdmissionView['limits']): string {
  const table = renderTable<AdmissionView['limits']['now'][number]>(
    [
      { heading: 'LIMIT', cell: ({ limit }) => limit },
      { heading: 'OF', cell: ({ limit, of }) => of ?? (limit === 'cluster' ? '-' : 'each') },
      { heading: 'VALUE', cell: valueText, align: 'right' },
      { heading: 'FROM', cell: ({ from }) => from },
      { heading: 'COUNTS', cell: ({ limit }) => LIMIT_TEXTS[limit] },
    ],
    now,
  );
  return live === null ? table : `${table}Set live by ${live.setBy} at ${live.at}; "kedge admission reset" takes it back\n`;
}

const REQUEST_COLUMNS: readonly Column<SlotRequest>[] = [
  { heading: 'HOLDER', cell: ({ holder }) => holder },
  { heading: 'NODES', cell: ({ nodes }) => nodes.join(' > ') },
  { heading: 'PRIORITY', cell: ({ priority }) => priority },
  { heading: 'NETWORK', cell: ({ network }) => network ?? '-' },
  { heading: 'STORAGES', cell: ({ storages = [] }) => storages.map(storageText).join(',') || '-' },
];

function storageText({ storage, node }: SlotStorage): string {
  return node === undefined ? storage : `${storage} on ${node}`;
}

function blockerText({ limit, of, used, allowed, leastShare }: Blocker): string {
  const isMoves = leastShare !== undefined;
  const amount = limit === 'bandwidth' && !isMoves ? `${rate(used)} of ${rate(allowed)}` : `${used} of ${allowed}`;
  return `${limit}${of === null ? '' : ` of ${of}`}: ${amount}${isMoves ? ` moves, each with at least ${rate(leastShare)}` : ''}`;
}

function valueText({ limit, value }: LimitRow): string {
  return value === null ? 'none' : limit === 'bandwidth' ? rate(value) : String(value);
}

function rate(bytesPerSecond: number | null): string {
  return bytesPerSecond === null ? 'anything' : `${formatBytes(bytesPerSecond)}/s`;
}
