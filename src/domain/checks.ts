/**
 * The registry of all checks before a migration: one row for each id. A finding's severity, and its remedy unless the place that finds
 * it knows a better one, come from here; docs/checks.md is made from here. The rules themselves are the files `check-*.ts`.
 */

/** When a check matters: always; while the guest runs on; when its disks are copied (off, or shut down for it). */
export type CheckScope = 'any' | 'live' | 'copied';

/**
 * A `blocker` refuses the migration; a `warning` goes into its story; a `note` is a fact of the moment that helps to choose a target: a check
 * tells it, a migration that has begun shows by itself what came of it.
 */
export const SEVERITIES = ['blocker', 'warning', 'note'] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface CheckRow {
  /** Of a row that says `blocker` a single finding may be a mere warning, where less depends on it. */
  readonly severity: Severity;
  readonly scope: CheckScope;
  /** The facts that it judges. */
  readonly looksAt: string;
  /** What it means for the guest. */
  readonly meaning: string;
  /** What to do about it, in general. */
  readonly remedy: string;
}

const row =
  (severity: CheckRow['severity'], scope: CheckScope) =>
  (looksAt: string, meaning: string, remedy: string): CheckRow => ({ severity, scope, looksAt, meaning, remedy });
const blocker = row('blocker', 'any');
const liveBlocker = row('blocker', 'live');
const copyBlocker = row('blocker', 'copied');
const warning = row('warning', 'any');
const note = row('note', 'any');
const liveWarning = row('warning', 'live');
const copyWarning = row('warning', 'copied');

export const CHECKS = {
  'same-node': blocker('source and target', 'The guest is there already', 'Name another node as target'),
  'source-silent': blocker('answer of the source', 'Nobody can say what the guest does', 'Check that the node is up and that its node worker runs'),
  'target-unknown': blocker('kedge.yaml', 'The target is no node of this cluster', 'List the nodes with "kedge node list"'),
  'target-silent': blocker('answer of the target', 'The target could not take the guest', 'Check that the node is up and that its node worker runs'),
  'target-cordoned': blocker(
    'state of the node',
    'The target takes no new guests: it is in maintenance, or is being drained',
    'Uncordon it, or choose another node',
  ),
  'blackout': blocker(
    'blackouts of kedge.yaml, at this moment',
    'No guest, or not this one, is to be moved now; only a warning with --ignore-blackout, and for what a failure needs',
    'Wait until it ends, or use --ignore-blackout',
  ),
  'other-cluster': blocker('cluster name and certificate authority of both nodes', 'The nodes belong to two clusters', 'Choose a node of the same cluster'),
  'guest-unknown': blocker('inventories and records', 'No node that answers has the guest', 'List the guests with "kedge guest list"'),
  'guest-off': blocker('process of the guest', "It can't move live", 'Start it, or leave --online out'),
  'guest-running-elsewhere': blocker(
    'processes on the target',
    'A QEMU of the guest runs on the target without a record',
    'Look at both nodes with "kedge audit"',
  ),
  'guest-locked': blocker('lock in the config', 'Another operation holds the guest', 'Wait for the operation that holds the lock'),
  'guest-migrating': blocker('running workflows', 'It is on its way already', 'Watch that migration, or cancel it'),
  'stream-stuck': liveBlocker('threads of QEMU', "An earlier stream has not ended, another can't begin", 'Shut the guest down and start it again'),
  'container-online': blocker('kind of the guest', "Containers can't move while they run", 'Use --restart'),
  'guest-running': blocker('process of the container', 'It would have to stop, which was not allowed', 'Use --restart'),
  'guest-paused': blocker('record of the guest', "A paused guest can't shut down", 'Resume it, or move it live'),
  'config-unreadable': blocker('config of the guest', "What the guest needs can't be told", 'Correct the config, "kedge config check" names the line'),
  'config-unsupported': copyBlocker(
    'keys of the config',
    'The target could not start it; only a warning for a guest that stays off',
    'Remove the named settings',
  ),
  'pending-changes': warning(
    'section of pending changes',
    'Changes that wait for a start take effect at the next one, on the target',
    'Apply or revert them first if that is not wanted',
  ),
  'volume-not-movable': blocker(
    'images of the guest',
    'A copy of the file would not be a copy of the disk',
    'Convert the image, or move it to a shared storage',
  ),
  'volume-exists': copyBlocker(
    'volumes on the target',
    "A name that can't be changed is taken there",
    'Remove the volume there, or name another storage with --targetstorage',
  ),
  'volume-renamed': copyWarning(
    'volumes on the target',
    'A name is taken there: the copy gets the next free number',
    'None is needed; if the name should be free there, look what the volume is',
  ),
  'volume-missing': blocker('storages of the source', "A volume of the guest is not there or can't be read", 'Bring it back, or remove it from the config'),
  'volume-foreign': blocker('names of the volumes', 'A volume belongs to another guest', 'Give the volume to this guest, or remove it from the config'),
  'volume-aliased': copyBlocker('paths of the volumes', 'Two volumes are one file', 'Name the file by one volume only'),
  'snapshot-not-movable': copyBlocker(
    'snapshots in the config',
    'A raw image holds no snapshots: they would be lost',
    'Delete the snapshots, or convert the image to qcow2',
  ),
  'base-in-use': copyBlocker('configs of other guests', 'Linked clones on this node need the disk of this template', 'Move or unlink the clones first'),
  'storage-map': blocker('--targetstorage', "It can't be read, or maps storages of a guest that runs on", 'Correct --targetstorage'),
  'storage-missing': blocker('storage.cfg of the target', 'A storage is not defined, or not enabled, there', 'Define and enable the storage there'),
  'storage-content': copyBlocker(
    'content of the storage',
    'The storage there may not hold such volumes',
    'Allow the content in storage.cfg, or name another storage',
  ),
  'storage-not-shared': blocker(
    'type and identity of the storage',
    "The disks can't follow a guest that runs on",
    'Use --restart, or move the disks to a shared storage',
  ),
  'storage-offline': warning('storages of the source', 'A shared storage that the guest uses gives no answer on the source', 'Check the storage'),
  'storage-type': blocker('type of the storage', 'Kedge has no driver for it', 'Move the disks to a storage of type dir'),
  'space-short': copyBlocker('free space, allocated sizes', "The copies don't fit", 'Free space, or name another storage with --targetstorage'),
  'space-overcommitted': copyWarning(
    'free space, full sizes',
    'The copies fit as they are, but not once they have grown',
    'Watch the space, or name another storage',
  ),
  'guest-exists-on-target': blocker(
    'record on the target',
    'The target owns a guest of this number',
    'Look at both nodes with "kedge audit" before anything is removed',
  ),
  'rsync-missing': copyBlocker('rsync of both nodes', 'The disks could not be copied', 'Install rsync 3.2.4 or later on the named node'),
  'record-unsettled': blocker('record and QEMU of the source', 'An earlier migration or a reboot is not settled yet', 'Wait, see "kedge audit"'),
  'local-device': blocker('devices, paths and mounts in the config', 'The guest uses something of this node that no other has', 'Remove it from the config'),
  'device-mapped': blocker(
    'mapped devices in the config',
    "A mapped device can't be moved while it is used; only a warning for a guest that is off",
    'Remove it from the config',
  ),
  'memory-encrypted': liveBlocker('amd-sev, intel-tdx', "Encrypted memory can't be sent", 'Use --restart'),
  'clipboard-vnc': liveBlocker(
    'vga, running machine type',
    "The clipboard's state can't be sent below machine type 10.1",
    'Use --restart, or remove the clipboard',
  ),
  'bridge-missing': blocker('network cards, bridges of the target', 'The guest would have no network', 'Create the bridge there'),
  'vlan-unaware': blocker('VLAN tags, bridges of the target', "The guest's packets would be in another VLAN", 'Make the bridge VLAN-aware'),
  'bridge-mtu': warning('MTU of the bridges', 'Large packets of the guest would be dropped on the target', 'Give the bridge the same MTU'),
  'memory-short': blocker('free memory of the target', 'The guest does not fit', 'Free memory there, or choose another node'),
  'cores-short': warning('cores of the target', 'The guest has more processors than the node', 'Choose a larger node, or give the guest fewer cores'),
  'target-loaded': note('load of the target', 'The guest would be slower there', 'Choose another node, or wait'),
  'cpu-flags': liveBlocker(
    'CPU flags of both nodes, cpu of the config',
    'The guest may use instructions that the target lacks',
    'Give the guest a named CPU model',
  ),
  'accelerator': liveBlocker('accelerators of both nodes', 'KVM on one node only', 'Choose a node with the same accelerator'),
  'machine-type': blocker(
    'machine type that the guest runs with, or is pinned to when it starts anew',
    "The target's QEMU does not have it",
    'Update QEMU on the target, or choose another node',
  ),
  'qemu-older': liveBlocker('QEMU of both nodes', 'An older QEMU may not understand the stream', 'Update QEMU on the target'),
  'kedge-protocol': blocker('hand-over protocol of both nodes', 'The nodes would misunderstand each other', 'Update Kedge on the older node'),
  'kedge-older': warning('Kedge of both nodes', 'The target has an older Kedge of the same protocol', 'Update Kedge on the target'),
  'peer-unreachable': blocker(
    'control network, both directions',
    "The workers can't talk to each other",
    'Check the control network, sshd and the node workers',
  ),
  'peer-untrusted': blocker('pinned host keys', "Another machine answers in the peer's place", 'Check that it is the right machine'),
  'migration-network': blocker(
    'probe on the migration network, each direction',
    'Nothing arrives in the named direction',
    'Check the migration network in this direction',
  ),
  'packet-loss': blocker(
    'probe on the migration network, each direction',
    '2 % or more of the packets are lost: a copy would crawl',
    'Check cables, switches and the load of this network',
  ),
  'path-mtu': blocker(
    'probe on the migration network, each direction',
    'Small packets arrive, large ones never',
    'Give all switches and interfaces of this network the same MTU',
  ),
  'link-lossy': note('probe on the migration network, each direction', 'Some packets are lost', 'Watch the migration network'),
  'link-slow': note('probe on the migration network', 'Less than 10 MiB/s', 'Check the link, or expect a long copy'),
  'latency-high': note('probe on the migration network', 'The round trip is longer than 10 ms', 'Expect a longer blackout'),
  'link-unmeasured': warning(
    'probe on the migration network',
    'Packet loss and bandwidth are not known',
    'Allow UDP and TCP between the nodes on this network',
  ),
  'clock-skew': warning(
    'clocks of both nodes',
    'They differ by more than 2 s: logs, leases and certificates may disagree',
    'Set the clocks, for example by NTP',
  ),
  'certificate': liveBlocker(
    "files of the node's pki folder",
    'QEMU would not accept them for the encrypted stream',
    'Issue it with "kedge pki issue", or choose --type insecure',
  ),
  'disk-full': blocker('space for records', 'A migration could not note what it does', "Free space in Kedge's state folder"),
  'port-unavailable': blocker('migration address of the node', 'Nothing can listen there', 'Give the node the address that kedge.yaml names'),
  'node-busy': note('migrations on both nodes', 'Others run there: this one may wait for a slot, and shares the link', 'Wait, or expect a longer copy'),
  'timeout-short': warning('forecast, --timeout', 'The copy may not end in time', 'Allow more time, or do without a timeout'),
  'blackout-long': liveWarning('forecast, --max-downtime', 'Even an idle guest would stand still for longer', 'Allow a longer downtime'),
} as const satisfies Record<string, CheckRow>;

/** Stable id of a check. */
export type CheckId = keyof typeof CHECKS;

/** One finding: text in the form "what is wrong", remedy in the imperative. */
export interface Finding {
  readonly id: CheckId;
  readonly severity: Severity;
  readonly text: string;
  readonly remedy: string;
  readonly subject?: FindingSubject;
}

/** Names of what a finding is about, for programs; the text is for people. Which are set depends on the check. */
export interface FindingSubject {
  /** Keys of the guest's config; `before.scsi0` is in the snapshot `before`. */
  readonly keys?: readonly string[];
  /** A volume id, or the path that the config has in its place. */
  readonly volume?: string;
  readonly storage?: string;
  readonly node?: string;
  /** What is in the way, where an id has several reasons or one with a name: the type of a storage, the owner or base of a volume, a lock. */
  readonly detail?: string;
}

/** A finding with the severity of its row, and with its remedy unless a more precise one is given. */
export function finding(id: CheckId, text: string, remedy?: string): Finding {
  return { id, severity: CHECKS[id].severity, text, remedy: remedy ?? CHECKS[id].remedy };
}

/** The same finding with the names of what it is about. */
export function about(subject: FindingSubject, found: Finding): Finding {
  return { ...found, subject };
}

/** The same finding where less depends on it. */
export function softened(found: Finding): Finding {
  return { ...found, severity: 'warning' };
}

/** What of these matters for a guest that moves in this way. */
export function withinScope(findings: readonly Finding[], copied: boolean): readonly Finding[] {
  return findings.filter(({ id }) => CHECKS[id].scope !== (copied ? 'live' : 'copied'));
}

export const isBlocker = ({ severity }: Finding): boolean => severity === 'blocker';
