import type { ConfigEntry } from './guest-config-text.js';

/** `count` ids of users (`u`) or groups (`g`) from `inside` on are the ids from `outside` on of the node. */
export interface ContainerIdRange {
  readonly type: 'u' | 'g';
  readonly inside: number;
  readonly outside: number;
  readonly count: number;
}

/** Is it a line of the container's own id map? Before LXC 3 the key had another name. */
export function isIdmapLine({ key }: ConfigEntry): boolean {
  return /^lxc\.id_?map$/.test(key);
}

/** The range that a line of the id map gives; none when it is no such line or can't be read, which a start refuses. */
export function readIdRange(entry: ConfigEntry): readonly ContainerIdRange[] {
  const [, type, inside, outside, count] = /^([ug])\s+(\d+)\s+(\d+)\s+(\d+)$/.exec(entry.value) ?? [];
  if (!isIdmapLine(entry) || type === undefined) return [];
  return [{ type: type === 'u' ? 'u' : 'g', inside: Number(inside), outside: Number(outside), count: Number(count) }];
}
