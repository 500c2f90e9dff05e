import { loadClaims } from '../../../src/config/load-claims.js';
import { guestRunFolder, pkiFolder } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestSummary, NodeInventory, StorageFacts } from '../../../src/domain/node-facts.js';
import type { GuestView, OwnershipRecord } from '../../../src/domain/ownership.js';
import { readHostFacts } from '../../../src/drivers/host/host-facts.js';
import { readPressure } from '../../../src/drivers/host/pressure.js';
import { readBridges } from '../../../src/drivers/host/tap.js';
import { readAuthority } from '../../../src/drivers/pki/read-authority.js';
import { payloadPids } from '../../../src/drivers/lxc/container-cgroups.js';
import { detectAccelerator } from '../../../src/drivers/qemu/accelerator.js';
import { findQemu } from '../../../src/drivers/qemu/find-qemu.js';
import { readQemuFacts } from '../../../src/drivers/qemu/qemu-facts.js';
import type { QemuProcess } from '../../../src/drivers/qemu/qemu-process.js';
import { runFiles } from '../../../src/drivers/qemu/run-files.js';
import { scanQemu } from '../../../src/drivers/qemu/scan-qemu.js';
import { isUsableOn, openStorage } from '../../../src/drivers/storage/open-storage.js';
import type { Claims } from '../../../src/schema/claims.js';
import type { StorageConfig } from '../../../src/schema/storage-config.js';
import { KEDGE_VERSION } from '../../../src/domain/version.js';
import { containerOf } from '../guests/container-of.js';
import { kindOf, lookAtGuest } from '../guests/look-at-guest.js';
import { QEMU_PROGRAM, readStorageConfig } from '../guests/launch-guest.js';
import type { NodeContext } from '../node-context.js';
import { footprintOf } from './footprint-of.js';

/** Reads everything that presence reports of this node, fresh. */
export async function readInventory(node: NodeContext): Promise<NodeInventory> {
  const claims = await loadClaims(node.paths);
  const [qemu, host, { storages, problems }, guests, bridges, authority, pressure] = await Promise.all([
    readQemuFacts(QEMU_PROGRAM),
    readHostFacts({ declared: { memoryBytes: node.config.memoryBytes, cores: node.config.cores }, claims }),
    readStorages(node),
    readGuests(node),
    readBridges(),
    readAuthority(pkiFolder(node.paths)),
    readPressure(),
  ]);
  return {
    v: 1,
    node: node.node,
    bootId: node.bootId,
    at: new Date().toISOString(),
    versions: versionsOf(node, claims, qemu.version),
    machineTypes: qemu.machineTypes.filter((type) => /^pc-(?:q35|i440fx)-/.test(type)),
    cpu: { ...host.cpu, accelerator: await detectAccelerator(qemu.binary) },
    memory: host.memory,
    load: host.load,
    pressure,
    ...declared(node.config),
    bridges: claims.bridges ?? bridges.map(({ name }) => name),
    bridgeFacts: bridges,
    cluster: { name: claims.cluster ?? node.cluster.cluster, authority },
    storages,
    guests,
    slots: { bulk: node.config.slots.bulk },
    ...(problems.length === 0 ? {} : { problems }),
  };
}

/** What node.yaml says of the node for the planner. */
function declared({ reserveBytes, speed }: NodeContext['config']): Pick<NodeInventory, 'reserveBytes' | 'speed'> {
  return { ...(reserveBytes === undefined ? {} : { reserveBytes }), ...(speed === undefined ? {} : { speed }) };
}

/** What is claimed is read anew each time; the worker itself speaks what it began with. */
function versionsOf(node: NodeContext, claims: Claims, qemu: string): NodeInventory['versions'] {
  const { version, oldest } = claims.kedgeProtocol === undefined ? node.protocol : { version: claims.kedgeProtocol, oldest: claims.kedgeProtocolOldest };
  return { kedge: claims.kedge ?? KEDGE_VERSION, protocol: version, ...(oldest === undefined ? {} : { protocolOldest: oldest }), qemu: claims.qemu ?? qemu };
}

/**
 * A storage.cfg that can't be read is told, and costs the storages alone: a node without presence counts as silent, and of one that counts
 * as silent the worst is believed.
 */
async function readStorages(node: NodeContext): Promise<{ readonly storages: readonly StorageFacts[]; readonly problems: readonly string[] }> {
  try {
    return { storages: await lookAtStorages(node, await readStorageConfig(node)), problems: [] };
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    return { storages: [], problems: [error.message] };
  }
}

function lookAtStorages(node: NodeContext, config: StorageConfig): Promise<readonly StorageFacts[]> {
  return Promise.all(
    config.storages.map(async ({ id, type, shared, ...storage }): Promise<StorageFacts> => {
      const enabled = isUsableOn({ id, type, shared, ...storage }, node.node);
      const facts = { id, type, shared, enabled, content: storage.content };
      if (!enabled) return { ...facts, identity: null, totalBytes: 0, freeBytes: 0 };
      try {
        const driver = openStorage(config, { id, node: node.node });
        const { totalBytes, freeBytes } = await driver.space();
        return { ...facts, identity: await driver.identity(), totalBytes, freeBytes };
      } catch (error) {
        node.log.warn({ storage: id, error }, 'a storage does not answer');
        return { ...facts, enabled: false, identity: null, totalBytes: 0, freeBytes: 0 };
      }
    }),
  );
}

/** Every guest that has a record or a config here; tombstones of guests that moved away are not guests of this node. */
export async function readGuests(node: NodeContext): Promise<readonly GuestSummary[]> {
  const vmids = new Set<Vmid>([...(await node.records.list()), ...(await node.guestConfigs.list())]);
  const findStrays = strayFinder();
  const summaries = await Promise.all([...vmids].sort((left, right) => left - right).map((vmid) => summarizeGuest(node, vmid, findStrays)));
  return summaries.filter((guest) => guest !== null);
}

/** One guest in short; null when all that is left of it here is a tombstone. */
export async function summarizeGuest(node: NodeContext, vmid: Vmid, findStrays: StrayFinder = strayFinder()): Promise<GuestSummary | null> {
  const known = node.summaries.get(vmid);
  // The monitor of a guest that is being moved belongs to its hand-over: a question here would cost blackout there.
  if (known !== undefined && node.copies.has(vmid)) return known;
  const fresh = await readSummary(node, vmid, findStrays);
  if (fresh === null) {
    node.summaries.delete(vmid);
    node.cpuLoads.of(vmid, null);
  } else node.summaries.set(vmid, fresh);
  return fresh;
}

/** The pid files of all QEMU processes of this node, whether the files exist or not. */
type StrayFinder = () => ReadonlySet<string>;

/** Looks once, when it is first asked: looking through all processes stops the worker for milliseconds, which a hand-over would feel. */
function strayFinder(): StrayFinder {
  let found: ReadonlySet<string> | null = null;
  return () => (found ??= new Set(scanQemu().flatMap(({ pidFile }) => pidFile ?? [])));
}

async function readSummary(node: NodeContext, vmid: Vmid, findStrays: StrayFinder): Promise<GuestSummary | null> {
  const view = await viewOf(node, vmid, findStrays);
  if (view === null) return null;
  const record = view.record.kind === 'record' ? view.record.record : null;
  if (isTombstone(record) && view.qemu === 'gone') return null;
  const kind = kindOf(node, vmid, view.record);
  const config = await node.configFacts.of(vmid, kind);
  if (config === null && view.record.kind === 'missing' && view.qemu === 'gone') return null;
  const { process } = view;
  return {
    vmid,
    kind,
    name: config?.name ?? `${kind === 'lxc' ? 'ct' : 'vm'}${vmid}`,
    record: record?.state ?? (view.record.kind === 'unreadable' ? 'unreadable' : 'missing'),
    generation: record?.generation ?? null,
    wanted: record?.wanted ?? null,
    migrationId: record?.migrationId ?? null,
    qemu: view.qemu,
    memoryBytes: config?.memoryBytes ?? 0,
    cores: config?.cores ?? 1,
    footprint: config === null ? null : footprintOf(node, { vmid, kind, running: view.qemu !== 'gone', process, config }),
  };
}

type ShortView = Pick<GuestView, 'record' | 'qemu'> & { readonly process: QemuProcess | null };

/** The record and what QEMU or LXC says; null for a tombstone whose process is not where it was: a stray of it is the audit's matter. */
async function viewOf(node: NodeContext, vmid: Vmid, findStrays: StrayFinder): Promise<ShortView | null> {
  const { pidFile } = runFiles(guestRunFolder(node.paths, vmid));
  const process = findQemu({ vmid, pidFile });
  if (process !== null) return { ...(await lookAtGuest(node, vmid)).view, process };
  const record = await node.records.read(vmid);
  // By its groups: to ask LXC costs a process for each container, each second.
  if (kindOf(node, vmid, record) === 'lxc') return { record, qemu: payloadPids(containerOf(node, vmid)).length > 0 ? 'running' : 'gone', process };
  if (record.kind === 'record' && isTombstone(record.record)) return null;
  return findStrays().has(pidFile) ? { ...(await lookAtGuest(node, vmid)).view, process } : { record, qemu: 'gone', process };
}

function isTombstone(record: OwnershipRecord | null): boolean {
  return record?.state === 'released' || record?.state === 'revoked';
}
