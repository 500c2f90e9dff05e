import type { SourceInspection } from '../../../activities/interface.js';
import { checkLink } from '../../../src/domain/check-link.js';
import { finding, type CheckId, type Finding } from '../../../src/domain/checks.js';
import { type NodeName, type Vmid } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import type { RunState } from '../../../src/drivers/qemu/classify-qemu-state.js';
import { hasStuckStream } from '../../../src/drivers/qemu/stream-thread.js';
import { lookAtGuest, type GuestLook } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { readInventory } from '../presence/read-inventory.js';
import { checkCertificates } from './check-certificates.js';
import { checkRecordSpace } from './check-record-space.js';
import { inspectGuest } from './inspect-guest.js';
import { measureLink } from './measure-link.js';

/** Facts and findings of the source side. Changes nothing. Findings that compare both sides are made in src/domain/check-migration.ts. */
export async function inspectSource(node: NodeContext, input: { vmid: Vmid; target: NodeName; options: MigrationOptions }): Promise<SourceInspection> {
  const { vmid, target } = input;
  const [inventory, look, link, certificates, space] = await Promise.all([
    readInventory(node),
    lookAtGuest(node, vmid),
    target === node.node ? null : measureLink(node, target),
    checkCertificates(node, { side: 'client', options: input.options }),
    checkRecordSpace(node),
  ]);
  const own = [...(await stateFindings(node, look, input)), ...certificates, ...space];
  const seen = await inspectGuest(node, { look, inventory, options: input.options });
  return {
    findings: [...own, ...(link === null ? [] : checkLink(link)), ...seen.findings],
    guest: seen.guest,
    inventory,
    ...(link === null ? {} : { link }),
  };
}

/** Run states in which a guest may start to move; in any other (an I/O error, a panic) it would arrive standing. */
const MOVABLE: readonly RunState[] = ['running', 'paused', 'postmigrate', 'inmigrate', 'finish-migrate'];

async function stateFindings(node: NodeContext, look: GuestLook, input: { vmid: Vmid; options: MigrationOptions }): Promise<readonly Finding[]> {
  const { vmid } = input;
  const { record } = look.view;
  const blocker = (id: CheckId, text: string, remedy: string): readonly Finding[] => [finding(id, text, remedy)];
  if (record.kind === 'missing') return blocker('guest-unknown', `${node.node} has no guest ${vmid}`, 'List the guests with "kedge guest list"');
  if (record.kind === 'unreadable')
    return blocker('record-unsettled', `The ownership record of guest ${vmid} can't be read: ${record.reason}`, 'Run "kedge audit" and restore the record');
  const { bootId } = record.record;
  if (record.record.state !== 'owned')
    return blocker(
      'record-unsettled',
      `The ownership record of guest ${vmid} on ${node.node} is ${record.record.state}(${record.record.generation}) of ${record.record.migrationId}`,
      'Wait until the earlier migration is settled, see "kedge audit"',
    );
  if (bootId !== node.bootId)
    return blocker(
      'record-unsettled',
      `${node.node} has rebooted and guest ${vmid} is not confirmed for this boot`,
      `Wait until ${node.node} is registered, see "kedge node show ${node.node}"`,
    );
  if (look.view.qemu === 'gone') return [];
  const runState = look.reading?.runState;
  if (runState !== undefined && !MOVABLE.includes(runState))
    return blocker('record-unsettled', `QEMU of guest ${vmid} stands in "${runState}"`, 'Resume or restart the guest first: it would arrive in the same state');
  if (!['running', 'paused', 'loaded', 'postmigrate'].includes(look.view.qemu))
    return blocker('record-unsettled', `QEMU of guest ${vmid} is ${look.view.qemu}`, 'Wait until the state of the guest is settled, see "kedge audit"');
  if (record.record.migrationId === undefined && look.process !== null && (await hasStuckStream(look.process.pid)))
    return blocker(
      'stream-stuck',
      `QEMU of guest ${vmid} has not ended the stream of an earlier migration and can't begin another`,
      'Shut the guest down and start it again: QEMU below 9.0 may lock up when a stream fails',
    );
  return [];
}
