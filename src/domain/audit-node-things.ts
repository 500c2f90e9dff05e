import { certainOwner, recordOn } from './audit-owner.js';
import type { AuditedJournalEntry, AuditedNode, AuditFinding, AuditInput, LeftoverKind, RunningMigration } from './audit-types.js';
import type { Repair } from './repair.js';

/** Sockets, files, tap devices, packet rules, ports and journal entries without the guest or migration that they belong to. */
export function auditNodeThings(node: AuditedNode, input: AuditInput): readonly AuditFinding[] {
  const { migrations } = input;
  const migrating = new Set<number>(migrations.map((migration) => migration.vmid));
  const withProcess = new Set(node.processes.map((process) => process.vmid));
  const isIdle = (vmid: number | null): boolean => vmid === null || !migrating.has(vmid);
  const withoutProcess = (vmid: number | null): boolean => isIdle(vmid) && vmid !== null && !withProcess.has(vmid);
  const orphans = (names: readonly string[], vmidOf: (name: string) => number | null): readonly Found[] =>
    names.map((name) => ({ vmid: vmidOf(name), what: name })).filter(({ vmid }) => withoutProcess(vmid));
  const runFile = (found: Found): Found => ({ ...found, repair: { do: 'remove-run-file', file: found.what } });
  return [
    ...orphans(node.sockets.filter(isSocket), vmidOfRunFile).map((found) => thing(node, 'socket', runFile(found))),
    ...orphans(node.sockets.filter(isPidFile), vmidOfRunFile).map((found) => thing(node, 'pid-file', runFile(found))),
    ...orphans(node.interfaces, vmidOfTap).map((found) => thing(node, 'tap', { ...found, repair: interfaceRepair(node, found.what) })),
    ...node.nftTables.filter(isNamedForKedge).map((table) => nftTable(node, table)),
    ...node.files.filter((path) => isConfigCopy(node, path, isIdle)).map((path) => configCopy(node, path, input)),
    ...node.files
      .filter((path) => isTemporary(path) && isIdle(vmidOfStage(path)))
      .map((path) => thing(node, 'temp-file', { vmid: vmidOfStage(path), what: path, repair: temporaryRepair(node, path, input) })),
    ...node.journalOpen
      .filter((entry) => !isJustified(entry, migrations))
      .map((entry) => thing(node, 'journal-open', { vmid: entry.vmid, what: journalText(entry), repair: journalRepair(node, entry) })),
    ...(awaitsStream(node) ? [] : node.ports.map((port) => thing(node, 'port', { vmid: null, what: `QEMU listens on TCP port ${String(port)}` }))),
  ];
}

interface Found {
  readonly vmid: number | null;
  readonly what: string;
  readonly repair?: Repair | null;
}

/** An entry belongs to a running migration of its guest; one that names no migration, to any. */
function isJustified(entry: AuditedJournalEntry, migrations: readonly RunningMigration[]): boolean {
  return migrations.some(
    ({ vmid, migrationId }) => vmid === entry.vmid && (migrationId === null || entry.migrationId === '' || migrationId === entry.migrationId),
  );
}

const journalText = ({ what, migrationId }: AuditedJournalEntry): string => (migrationId === '' ? what : `${what} of migration ${migrationId}`);

const MEANINGS: Readonly<Partial<Record<LeftoverKind, readonly [meaning: string, remedy: string]>>> = {
  'socket': ['A socket of a QEMU that is gone', 'Remove the file'],
  'pid-file': ['A pid file of a QEMU that is gone', 'Remove the file'],
  'tap': ['A network device of a guest that has no process here', 'Remove it with "ip link delete"'],
  'config-copy': ['A config of a guest that this node does not own', "Compare it with the owner's, then remove the copy"],
  'temp-file': ['A file that a write left behind when its process died, or a copy of a disk without its migration', 'Remove it'],
  'journal-open': ['A step of a migration that has ended is still noted as open', 'Restart the node worker: its recovery closes it'],
  'port': [
    'A QEMU waits for a RAM stream, and no guest is incoming here',
    'It goes with its process, which is reported by itself; else find it with "ss -ltnp" and end it if its guest is owned elsewhere',
  ],
};

function thing(node: AuditedNode, kind: LeftoverKind, found: Found): AuditFinding {
  const [meaning, remedy] = MEANINGS[kind] ?? ['', ''];
  return { node: node.node, vmid: found.vmid, kind, key: found.what, what: found.what, meaning, remedy, repair: found.repair ?? null };
}

/** Nobody has it open, so that no guest's packets go through it, be it Kedge's or another program's that uses PVE's names too. */
function interfaceRepair({ idleInterfaces = [] }: AuditedNode, name: string): Repair | null {
  return idleInterfaces.includes(name) ? { do: 'remove-interface', name } : null;
}

/** An unfinished copy that no record is prepared for: it can't be armed any more. One that a record names is settled with that record. */
function temporaryRepair({ incoming = [] }: AuditedNode, path: string, { nodes }: AuditInput): Repair | null {
  if (path.endsWith('.stage')) return { do: 'remove-stages' };
  const copy = incoming.find((one) => one.path === path);
  if (copy === undefined) return null;
  const isSpokenOf = ({ guests }: AuditedNode): boolean =>
    guests.some(({ vmid, migrationId, record }) => vmid === copy.vmid && (migrationId === copy.migrationId || record === 'unreadable'));
  return nodes.some(isSpokenOf) ? null : { do: 'discard-copy', volumeId: copy.volumeId, migrationId: copy.migrationId };
}

/** What a record names, or might name, is settled with that record. */
function journalRepair({ guests }: AuditedNode, { vmid, journal, key }: AuditedJournalEntry): Repair | null {
  // A permission for a path that is none of a copy names no guest.
  if (journal === undefined || vmid === 0 || guests.some((guest) => guest.vmid === vmid && (guest.migrationId !== null || guest.record === 'unreadable')))
    return null;
  return { do: 'close-journal', journal, key: key ?? '' };
}

/**
 * A config that the owner has too, to the byte, is no loss. Under `released` and `revoked` it is what is left of a release or roll-back, which is
 * repeated as a whole.
 */
function configCopy(node: AuditedNode, path: string, input: AuditInput): AuditFinding {
  const vmid = vmidOfConfig(path) ?? 0;
  return thing(node, 'config-copy', { vmid, what: path, repair: configRepair(node, vmid, input) });
}

function configRepair(node: AuditedNode, vmid: number, input: AuditInput): Repair | null {
  const record = recordOn(node, vmid);
  if (record === 'revoked') return { do: 'end-revoked' };
  const owner = certainOwner(input, vmid);
  if (owner === null) return null;
  if (record === 'released') return { do: 'release-source' };
  const digest = digestOf(node, vmid);
  return digest !== null && digest === digestOf(owner.node, vmid) ? { do: 'remove-config', digest } : null;
}

const digestOf = ({ configs = [] }: AuditedNode, vmid: number): string | null => configs.find((config) => config.vmid === vmid)?.digest ?? null;

/**
 * Kedge's own programs make no packet rules, on no node, and other people's are not ours to judge. What carries Kedge's name was made by
 * hand or by a test to cut or slow traffic; the lab's own faults are in its switch, where no node sees them.
 */
const isNamedForKedge = (table: string): boolean => /^\S+ kedge(?:$|[-_.])/.test(table);

function nftTable(node: AuditedNode, table: string): AuditFinding {
  return {
    node: node.node,
    vmid: null,
    kind: 'nft-table',
    key: table,
    what: `nftables table ${table}`,
    meaning: "Packet rules with Kedge's name, which Kedge never makes: an injected fault was left behind, and may hold traffic back",
    remedy: `Look at it with "nft list table ${table}", remove it with "nft delete table ${table}"`,
    repair: { do: 'remove-packet-rules', table },
  };
}

function isConfigCopy(node: AuditedNode, path: string, isIdle: (vmid: number | null) => boolean): boolean {
  const vmid = vmidOfConfig(path);
  if (vmid === null || !isIdle(vmid)) return false;
  const record = recordOn(node, vmid);
  // An unreadable record proves nothing: its config may be the only one. The record is reported by itself.
  return record === 'missing' || record === 'released' || record === 'revoked';
}

/** A guest that is incoming or armed here has a listening QEMU until its streams are connected. */
function awaitsStream(node: AuditedNode): boolean {
  return node.guests.some((guest) => guest.record === 'incoming' || guest.record === 'armed');
}

/**
 * Names that src/drivers/host/durable-file.ts gives to content before its rename, `.<name>.<12 hex digits>.stage`, and storages to copies
 * that come in, `.incoming-<vmid>-<generation>-<name>`.
 */
const isTemporary = (path: string): boolean => /(?:^|\/)\.(?:[^/]+\.stage|incoming-[^/]+)$/.test(path);
const vmidOfStage = (path: string): number | null => numberIn(/(?:^|\/)\.(?:incoming-)?(\d+)[.-][^/]+$/.exec(path));
/** `<run>/qemu/<vmid>/<file>`, see src/config/paths.ts. Logs stay there on purpose, to be read. */
const vmidOfRunFile = (path: string): number | null => numberIn(/(?:^|\/)qemu\/(\d+)\/[^/]+$/.exec(path));
const isPidFile = (path: string): boolean => path.endsWith('/pid');
const isSocket = (path: string): boolean => /\.(?:qmp|sock)$/.test(path);
/** `<etc>/qemu-server/<vmid>.conf`, see src/config/paths.ts. */
const vmidOfConfig = (path: string): number | null => numberIn(/(?:^|\/)(?:qemu-server|lxc)\/(\d+)\.conf$/.exec(path));
/** Devices of guests carry PVE's names: `tap<vmid>i<number>` of a VM, `veth<vmid>i<number>` of a container. */
const vmidOfTap = (name: string): number | null => numberIn(/^(?:tap|veth)(\d+)i\d+$/.exec(name));

function numberIn(match: RegExpExecArray | null): number | null {
  return match?.[1] === undefined ? null : Number(match[1]);
}
