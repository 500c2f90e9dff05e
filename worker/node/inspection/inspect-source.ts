import type { SourceInspection } from '../../../activities/interface.js';
import { loadDatacenterConfig } from '../../../src/config/load-datacenter-config.js';
import { datacenterConfigFile } from '../../../src/config/paths.js';
import type { Finding } from '../../../src/domain/checks.js';
import { laterGeneration, type NodeName, type Vmid } from '../../../src/domain/ids.js';
import type { MigrationOptions } from '../../../src/domain/migration.js';
import type { RunState } from '../../../src/drivers/qemu/classify-qemu-state.js';
import { hasStuckStream } from '../../../src/drivers/qemu/stream-thread.js';
import { readMachineType } from '../../../src/drivers/qemu/read-machine-type.js';
import { readQemuVersion } from '../../../src/drivers/qemu/read-qemu-version.js';
import { chooseMigrationKind } from '../../../src/domain/choose-migration-kind.js';
import { lookAtGuest, type GuestLook } from '../guests/look-at-guest.js';
import { readStreamLimits } from '../handover/stream-limits.js';
import type { NodeContext } from '../node-context.js';
import { readInventory } from '../presence/read-inventory.js';
import { checkCertificates } from './check-certificates.js';
import { checkRecordSpace } from './check-record-space.js';
import { describeGuest, type GuestDescription } from './describe-guest.js';
import { inspectVolumes } from './inspect-volumes.js';
import { testPeerLink } from './test-peer-link.js';

/** Facts and findings of the source side. Changes nothing. Findings that compare both sides are made in src/domain/check-migration.ts. */
export async function inspectSource(node: NodeContext, input: { vmid: Vmid; target: NodeName; options: MigrationOptions }): Promise<SourceInspection> {
  const { vmid, target } = input;
  const [inventory, look, link, certificates, space] = await Promise.all([
    readInventory(node),
    lookAtGuest(node, vmid),
    target === node.node ? Promise.resolve([]) : testPeerLink(node, { peer: target, options: input.options }),
    checkCertificates(node, { side: 'client', options: input.options }),
    checkRecordSpace(node),
  ]);
  const general = [...(await stateFindings(node, look, input)), ...link, ...certificates, ...space];
  if (look.view.record.kind !== 'record') return { findings: general, guest: null, inventory };
  const { record } = look.view.record;
  const config = await node.guestConfigs.read(vmid, record.kind).catch(() => '');
  const description = describeGuest({ vmid, kind: record.kind, config });
  if ('unreadable' in description) return { findings: [...general, unreadable(description.unreadable)], guest: null, inventory };
  const choice = chooseMigrationKind({ vmid, guestKind: record.kind, wanted: record.wanted, isOn: look.process !== null, options: input.options });
  const movement = 'kind' in choice ? choice.kind : null;
  const refusal = 'refusal' in choice ? [choice.refusal] : [];
  const isLive = movement === null || movement === 'live';
  // A limit that can't be read is told now, while nothing is touched, and not when the stream begins.
  if (movement === 'live') await readStreamLimits(node, vmid, input.options);
  else await loadDatacenterConfig(datacenterConfigFile(node.paths));
  const local = isLive
    ? { volumes: [], findings: [] }
    : await inspectVolumes(node, { kind: record.kind, text: description.text, storages: inventory.storages });
  return {
    findings: [...general, ...refusal, ...deviceFindings(description), ...local.findings],
    guest: {
      name: description.name,
      // A dead claim has issued the next generation already: it is settled to the one after, from which we go on.
      generation: record.state === 'owned' && record.migrationId !== undefined ? laterGeneration(record.generation, 2) : record.generation,
      wanted: record.wanted,
      config,
      qemuVersion: (await runningVersion(node, look)) ?? inventory.versions.qemu,
      runningMachine: look.process === null || look.reading === null ? null : await readMachineType(await node.monitors.of(vmid)).catch(() => null),
      memoryBytes: description.memoryBytes,
      bridges: description.bridges,
      storages: inventory.storages.map(({ id, shared, identity }) => ({ id, shared, identity })).filter(({ id }) => description.storages.includes(id)),
      kind: record.kind,
      movement,
      volumes: local.volumes,
    },
    inventory,
  };
}

/** Null while the guest is off or its monitor is silent. */
async function runningVersion(node: NodeContext, look: GuestLook): Promise<string | null> {
  if (look.process === null || look.reading === null) return null;
  const { record } = look.view;
  return record.kind === 'record' ? readQemuVersion(await node.monitors.of(record.record.vmid)).catch(() => null) : null;
}

/** Run states in which a guest may start to move; in any other (an I/O error, a panic) it would arrive standing. */
const MOVABLE: readonly RunState[] = ['running', 'paused', 'postmigrate', 'inmigrate', 'finish-migrate'];

async function stateFindings(node: NodeContext, look: GuestLook, input: { vmid: Vmid; options: MigrationOptions }): Promise<readonly Finding[]> {
  const { vmid } = input;
  const { record } = look.view;
  const blocker = (id: Finding['id'], text: string, remedy: string): readonly Finding[] => [{ id, severity: 'blocker', text, remedy }];
  if (record.kind === 'missing') return blocker('guest-unknown', `${node.node} has no guest ${vmid}`, 'List the guests with "kedge guest list"');
  if (record.kind === 'unreadable')
    return blocker('record-unsettled', `The ownership record of guest ${vmid} can't be read: ${record.reason}`, 'Run "kedge audit" and restore the record');
  const { bootId } = record.record;
  if (record.record.state !== 'owned')
    return blocker(
      'record-unsettled',
      `The ownership record of guest ${vmid} on ${node.node} is ${record.record.state}(${record.record.generation}) of ${record.record.migrationId}`,
      record.record.mode === 'offline'
        ? `Its migration was ended by force: take the guest back with "kedge guest start ${vmid}"`
        : 'Wait until the earlier migration is settled, see "kedge audit"',
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

function unreadable(reason: string): Finding {
  return {
    id: 'config-unreadable',
    severity: 'blocker',
    text: `The guest's config can't be read: ${reason}`,
    remedy: 'Correct the named line: "kedge config check" finds all errors',
  };
}

function deviceFindings(config: GuestDescription): readonly Finding[] {
  const local = config.text.entries.map(({ key }) => key).filter((key) => /^(?:hostpci|usb|parallel|ivshmem|virtiofs)\d*$/.test(key));
  return [
    ...local.map(
      (key): Finding => ({
        id: 'local-device',
        severity: 'blocker',
        text: `The guest uses the device ${key} of this node`,
        remedy: `Remove ${key} from the guest's config`,
      }),
    ),
    ...(config.lock === null
      ? []
      : [
          {
            id: 'guest-locked',
            severity: 'blocker',
            text: `The guest is locked (${config.lock})`,
            remedy: 'Wait for the operation that holds the lock',
          } as const,
        ]),
  ];
}
