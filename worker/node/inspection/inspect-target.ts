import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { TargetInspection } from '../../../activities/interface.js';
import { pkiFolder } from '../../../src/config/paths.js';
import type { Finding } from '../../../src/domain/checks.js';
import type { NodeName, Vmid } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import { lookAtGuest, type GuestLook } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { readInventory } from '../presence/read-inventory.js';
import { testPeerLink } from './test-peer-link.js';

/** Facts and findings of the target side. Changes nothing. */
export async function inspectTarget(node: NodeContext, input: { vmid: Vmid; source: NodeName; options: MigrationOptions }): Promise<TargetInspection> {
  const [inventory, look, link] = await Promise.all([
    readInventory(node),
    lookAtGuest(node, input.vmid),
    input.source === node.node ? Promise.resolve([]) : testPeerLink(node, input.source),
  ]);
  return {
    findings: [...copyFindings(node, look, input.vmid), ...link, ...certificateFindings(node, input.options)],
    inventory,
    view: look.view,
  };
}

function copyFindings(node: NodeContext, look: GuestLook, vmid: Vmid): readonly Finding[] {
  const { record } = look.view;
  const blocker = (id: Finding['id'], text: string): readonly Finding[] => [{ id, severity: 'blocker', text, remedy: 'Look at both nodes with "kedge audit" before anything is removed' }];
  if (record.kind === 'unreadable') return blocker('record-unsettled', `${node.node} has a record of guest ${vmid} that can't be read: ${record.reason}`);
  if (record.kind === 'record' && (record.record.state === 'owned' || record.record.state === 'armed' || record.record.state === 'releasing')) {
    return blocker('guest-exists-on-target', `${node.node} has ${record.record.state}(${record.record.generation}) of guest ${vmid}`);
  }
  const expected = record.kind === 'record' && record.record.state === 'incoming';
  if (look.process !== null && !expected) return blocker('guest-running-elsewhere', `A QEMU of guest ${vmid} runs on ${node.node} (process ${look.process.pid})`);
  return [];
}

function certificateFindings(node: NodeContext, options: MigrationOptions): readonly Finding[] {
  if (options.type === 'insecure') return [];
  const missing = ['ca-cert.pem', 'server-cert.pem', 'server-key.pem'].filter((name) => !existsSync(join(pkiFolder(node.paths), name)));
  return missing.map((name) => ({
    id: 'certificate',
    severity: 'blocker',
    text: `${node.node} has no ${name} for the encrypted stream`,
    remedy: `Issue it with "kedge pki issue ${node.node}", or choose --type insecure on a trusted network`,
  }));
}
