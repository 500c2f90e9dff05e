import type { TargetInspection } from '../../../activities/interface.js';
import type { Finding } from '../../../src/domain/checks.js';
import type { NodeName, Vmid } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import { lookAtGuest, type GuestLook } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from '../recovery/ask-peer.js';
import { readInventory } from '../presence/read-inventory.js';
import { hasForeignConfig } from '../guests/has-foreign-config.js';
import { checkCertificates } from './check-certificates.js';
import { checkRecordSpace } from './check-record-space.js';
import { testPeerLink } from './test-peer-link.js';

/** Facts and findings of the target side. Changes nothing. */
export async function inspectTarget(node: NodeContext, input: { vmid: Vmid; source: NodeName; options: MigrationOptions }): Promise<TargetInspection> {
  const [inventory, look, link, certificates, space, sourceView] = await Promise.all([
    readInventory(node),
    lookAtGuest(node, input.vmid),
    input.source === node.node ? Promise.resolve([]) : testPeerLink(node, { peer: input.source, options: input.options }),
    checkCertificates(node, { side: 'server', options: input.options }),
    checkRecordSpace(node),
    input.source === node.node ? Promise.resolve('unreachable' as const) : askPeer(node, input.source, input.vmid),
  ]);
  const sourceGeneration = sourceView === 'unreachable' || sourceView.record.kind !== 'record' ? null : sourceView.record.record.generation;
  return {
    findings: [
      ...copyFindings(node, look, { vmid: input.vmid, sourceGeneration }),
      ...(await foreignFindings(node, input.vmid)),
      ...link,
      ...certificates,
      ...space,
    ],
    inventory,
    view: look.view,
  };
}

async function foreignFindings(node: NodeContext, vmid: Vmid): Promise<readonly Finding[]> {
  if (!(await hasForeignConfig(node, vmid))) return [];
  return [
    {
      id: 'guest-exists-on-target',
      severity: 'blocker',
      text: `${node.node} has a config of a guest ${vmid} that Kedge does not manage`,
      remedy: `Give that guest another number, or remove its config from ${node.node}`,
    },
  ];
}

function copyFindings(node: NodeContext, look: GuestLook, guest: { vmid: Vmid; sourceGeneration: number | null }): readonly Finding[] {
  const { vmid, sourceGeneration } = guest;
  const { record } = look.view;
  const blocker = (id: Finding['id'], text: string): readonly Finding[] => [
    { id, severity: 'blocker', text, remedy: 'Look at both nodes with "kedge audit" before anything is removed' },
  ];
  if (record.kind === 'unreadable') return blocker('record-unsettled', `${node.node} has a record of guest ${vmid} that can't be read: ${record.reason}`);
  if (record.kind === 'record' && (record.record.state === 'owned' || record.record.state === 'releasing')) {
    return blocker('guest-exists-on-target', `${node.node} has ${record.record.state}(${record.record.generation}) of guest ${vmid}`);
  }
  if (record.kind === 'record' && sourceGeneration !== null && record.record.generation > sourceGeneration + 1) {
    return blocker(
      'guest-exists-on-target',
      `${node.node} knows guest ${vmid} under generation ${record.record.generation}, later than ${sourceGeneration} of its source`,
    );
  }
  // What an attempt of an older generation left gives way when this node is prepared.
  const expected = record.kind === 'record';
  if (look.process !== null && !expected)
    return blocker('guest-running-elsewhere', `A QEMU of guest ${vmid} runs on ${node.node} (process ${look.process.pid})`);
  return [];
}
