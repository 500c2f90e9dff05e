/** Checks of what a node keeps for its own migrations. */
import { finding, type Finding } from './checks.js';
import type { NodeName } from './ids.js';

/** Records, claims and journals of a migration are a few blocks; more only so that it doesn't end at the last one. */
const NEEDED_BYTES = 2 ** 20;

/** Is there room for what a migration notes on this node? Without it, it would begin and then be stuck in its roll-back. */
export function checkRecordSpace({ node, folder, freeBytes }: { node: NodeName; folder: string; freeBytes: number }): readonly Finding[] {
  if (freeBytes >= NEEDED_BYTES) return [];
  const text = `${node} has ${freeBytes} bytes left in ${folder}, and needs ${NEEDED_BYTES} there for the records of a migration`;
  return [finding('disk-full', text, `Free space in ${folder} of ${node}`)];
}

/** `complaints`: what QEMU would not accept, in words that follow the node's name. */
export function checkCertificateFiles(node: NodeName, complaints: readonly string[]): readonly Finding[] {
  return complaints.map((complaint) =>
    finding(
      'certificate',
      `${node} ${complaint} for the encrypted stream`,
      `Issue it with "kedge pki issue ${node}", or choose --type insecure on a trusted network`,
    ),
  );
}
