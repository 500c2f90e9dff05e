/**
 * Compares what lies and runs on the nodes with what must be there, by a list of its own: nothing of Kedge's audit is used. What is not on the
 * list is a leftover, what is missing from it too. Pure.
 */
import type { NodeSurvey, PlacedGuest, Survey } from './survey-types.js';

export interface StrayContext {
  readonly guests: readonly PlacedGuest[];
  /** The survey of the lab before its first round: ports, interfaces and rules of the nodes themselves. */
  readonly baseline: Survey;
}

/** On any node at any time. Records of nodes that have passed a guest on stay as tombstones, claims fence older attempts, logs are to be read. */
const EVERYWHERE: readonly RegExp[] = [
  /^\/run\/kedge\/(peer\.sock|node\.lock|boot-id)$/,
  /^\/run\/kedge\/lab\//,
  /^\/run\/kedge\/(crash|qemu|lxc|rsync-grants)$/,
  /^\/var\/lib\/kedge\/journal\/tasks(\/[0-9a-f]+)?$/,
];
/** Files of tasks under way on an idle node: presence, and what just ended. */
const MOST_TASKS = 3;
/** The one in force, and that of the move before. */
const MOST_MARKERS = 2;
const PROGRAMS: readonly RegExp[] = [
  /^bash .*node-init\.sh /,
  /^sleep infinity/,
  /^sshd(-session)?: /,
  /^node .*main\.js node run/,
  // A peer's channel: it stays open between migrations.
  /^sh -c \S+ \S+\/kedge peer /,
  /^\S*node \S+\/kedge peer /,
  /qemu-system/,
  /^\[lxc monitor\]/,
];
const WORKFLOWS: readonly RegExp[] = [/^admission$/, /^node-node\d+$/];

/** Everything that is where it should not be, or missing, in words. */
export function findStrays(seen: Survey, { guests, baseline }: StrayContext): readonly string[] {
  return [
    ...seen.nodes.flatMap((node) => {
      const before = baseline.nodes.find((each) => each.node === node.node);
      return [
        ...strayFiles(node, guests),
        ...strayRecords(node, guests),
        ...strayCopies(node, guests),
        ...node.processes.filter((command) => !PROGRAMS.some((known) => known.test(command))).map((command) => `process "${command}"`),
        ...strayNetwork(node, { guests, before }),
      ].map((what) => `${node.node}: ${what}`);
    }),
    ...strayShared(seen, { guests, baseline }).map((what) => `shared storage: ${what}`),
    ...seen.workflows.filter((id) => !WORKFLOWS.some((known) => known.test(id))).map((id) => `workflow ${id}`),
  ];
}

/** What is kept beside the disks changes with each move, and is brought up to date within ten seconds; what a dead writer left there goes within a minute. */
function strayShared({ shared }: Survey, { guests, baseline }: StrayContext): string[] {
  const vmids = guests.filter(({ isLocal }) => !isLocal).map(({ vmid }) => vmid);
  const isNote = (file: string): boolean =>
    vmids.some((vmid) => new RegExp(`^\\.kedge/(${vmid}\\.(conf|[1-9]\\d*)|\\.${vmid}\\.\\w+\\.[0-9a-f]{12}\\.stage)$`).test(file));
  const notes = shared.filter(isNote);
  return [
    ...shared.filter((file) => !isNote(file) && !baseline.shared.includes(file)),
    ...baseline.shared.filter((file) => !isNote(file) && !shared.includes(file)).map((file) => `${file} is missing`),
    ...vmids
      .filter((vmid) => notes.filter((file) => /\d$/.test(file) && file.startsWith(`.kedge/${vmid}.`)).length > MOST_MARKERS)
      .map((vmid) => `markers of ${vmid} pile up`),
  ];
}

function strayFiles({ node, files }: NodeSurvey, guests: readonly PlacedGuest[]): string[] {
  const here = guests.filter((guest) => guest.node === node);
  const vmids = guests.map(({ vmid }) => vmid).join('|');
  const allowed = [
    ...EVERYWHERE,
    new RegExp(`^/var/lib/kedge/records/(${vmids})\\.json$`),
    new RegExp(`^/var/lib/kedge/journal/(${vmids})\\.claim\\.json$`),
    new RegExp(`^/run/kedge/(qemu|lxc)/(${vmids})(/[^/]+\\.log)?$`),
    ...here.flatMap(filesOf),
  ];
  const needed = here.map(configOf).filter((config) => !files.includes(config));
  const tasks = files.filter((file) => file.startsWith('/var/lib/kedge/journal/tasks/')).length;
  return [
    ...files.filter((file) => !allowed.some((pattern) => pattern.test(file))),
    ...needed.map((config) => `${config} is missing`),
    ...(tasks > MOST_TASKS ? [`${tasks} notes of tasks`] : []),
  ];
}

const configOf = ({ vmid, isContainer }: PlacedGuest): string => `/etc/kedge/${isContainer ? 'lxc' : 'qemu-server'}/${vmid}.conf`;

/** What a node has of a guest that it runs. */
function filesOf(guest: PlacedGuest): RegExp[] {
  const { vmid, isContainer, isLocal } = guest;
  return [
    new RegExp(`^${configOf(guest)}$`),
    ...(isLocal ? [new RegExp(`^/var/lib/kedge/images/images/${vmid}/(vm|subvol)-${vmid}-disk-\\d+\\.(raw|subvol)$`)] : []),
    // It was told to shut down by a migration that was rolled back, and may still obey: Kedge has to know why, for 10 minutes.
    ...(isLocal ? [new RegExp(`^/var/lib/kedge/journal/${vmid}\\.shutdown$`)] : []),
    isContainer ? new RegExp(`^/run/kedge/lxc/${vmid}/config$`) : new RegExp(`^/run/kedge/qemu/${vmid}/(pid|(control|observer)\\.qmp|serial0\\.sock)$`),
  ];
}

function strayRecords({ node, records }: NodeSurvey, guests: readonly PlacedGuest[]): string[] {
  return guests.flatMap(({ vmid, node: owner }) => {
    const record = records.find((each) => each.vmid === vmid);
    if (owner === node) return record?.state === 'owned' && !record.isClaimed ? [] : [`record of ${vmid} is ${stateOf(record)}, although it runs here`];
    return record === undefined || ['released', 'revoked'].includes(record.state)
      ? []
      : [`record of ${vmid} is ${stateOf(record)}, although it runs on ${owner}`];
  });
}

const stateOf = (record: NodeSurvey['records'][number] | undefined): string =>
  record === undefined ? 'missing' : `${record.state}${record.isClaimed ? ', claimed' : ''}`;

function strayCopies({ node, copies }: NodeSurvey, guests: readonly PlacedGuest[]): string[] {
  const expected = guests.filter((guest) => guest.node === node).map(({ vmid }) => vmid);
  const extra = copies.filter((vmid, index) => !expected.includes(vmid) || copies.indexOf(vmid) !== index);
  return extra.map((vmid) => `a copy of guest ${vmid}`);
}

function strayNetwork(
  { node, interfaces, ports, nftTables }: NodeSurvey,
  { guests, before }: { readonly guests: readonly PlacedGuest[]; readonly before: NodeSurvey | undefined },
): string[] {
  const own = guests.filter((guest) => guest.node === node).map(({ vmid, isContainer }) => `${isContainer ? 'veth' : 'tap'}${vmid}i0`);
  // The baseline was taken with the guests where they began: their devices are no part of the node.
  const base = (before?.interfaces ?? []).filter((name) => !/^(tap|veth)\d/.test(name));
  return [
    ...interfaces.filter((name) => !base.includes(name) && !own.includes(name)).map((name) => `interface ${name}`),
    ...own.filter((name) => !interfaces.includes(name)).map((name) => `interface ${name} is missing`),
    ...ports.filter((port) => !(before?.ports ?? []).includes(port)).map((port) => `a listener on port ${port}`),
    ...nftTables.filter((table) => !(before?.nftTables ?? []).includes(table)).map((table) => `packet rules "${table}"`),
  ];
}
