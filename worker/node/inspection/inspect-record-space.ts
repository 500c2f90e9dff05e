import { statfs } from 'node:fs/promises';
import { checkRecordSpace } from '../../../src/domain/check-node-files.js';
import type { Finding } from '../../../src/domain/checks.js';
import type { NodeContext } from '../node-context.js';

/** Is there room for what a migration notes on this node? */
export async function inspectRecordSpace({ node, paths }: NodeContext): Promise<readonly Finding[]> {
  const { bavail, bsize } = await statfs(paths.state);
  return checkRecordSpace({ node, folder: paths.state, freeBytes: bavail * bsize });
}
