import { statfs } from 'node:fs/promises';
import { finding, type Finding } from '../../../src/domain/checks.js';
import type { NodeContext } from '../node-context.js';

/** Records, claims and journals of a migration are a few blocks; more only so that it doesn't end at the last one. */
const NEEDED_BYTES = 2 ** 20;

/** Is there room for what a migration notes on this node? Without it, it would begin and then be stuck in its roll-back. */
export async function checkRecordSpace(node: NodeContext): Promise<readonly Finding[]> {
  const folder = node.paths.state;
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= NEEDED_BYTES) return [];
  return [
    finding(
      'disk-full',
      `${node.node} has ${free} bytes left in ${folder}, and needs ${NEEDED_BYTES} there for the records of a migration`,
      `Free space in ${folder} of ${node.node}`,
    ),
  ];
}
