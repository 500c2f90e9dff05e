import { readFile } from 'node:fs/promises';
import { KedgeError } from '../../domain/kedge-error.js';

/**
 * What is mounted in a tree is no part of it, hides what is, and would go with a removal of the tree.
 * @throws KedgeError `storage-failed` that names the mount
 */
export async function refuseMounts(root: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mountinfo', 'utf8')).split('\n').map((line) => unescape(line.split(' ')[4] ?? ''));
  const mounted = mounts.find((mount) => mount.startsWith(`${root}/`));
  if (mounted !== undefined) throw new KedgeError('storage-failed', `Cannot work on the tree ${root}: something is mounted on ${mounted}, unmount it`);
}

/** Source: proc(5), as in getmntent(3). */
function unescape(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(parseInt(digits, 8)));
}
