/**
 * What `kedge reconcile` concludes of one guest: who really runs it, and what settles it. Pure. The order of the questions is that of the
 * algorithm: is a migration at it; does it run twice; is it anywhere; is it where its record says; what is left besides.
 */
import { findLeftovers } from './audit.js';
import { certainOwner, fullRecordOn, hasConfigOn, recordOn } from './audit-owner.js';
import type { AuditInput, AuditedNode, Leftover } from './audit-types.js';
import type { Generation, MigrationId, NodeName } from './ids.js';
import type { GuestSummary } from './node-facts.js';
import type { QemuState, Wanted } from './ownership.js';

export const VERDICTS = ['settled', 'migrating', 'repairable', 'waiting', 'blocked', 'unknown'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** What one node says of the guest. */
export interface GuestAt {
  readonly node: NodeName;
  readonly record: GuestSummary['record'];
  readonly generation: Generation | null;
  readonly wanted: Wanted | null;
  readonly qemu: QemuState;
  readonly migrationId: MigrationId | null;
  readonly config: boolean;
}

export interface Reconciliation {
  readonly vmid: number;
  /**
   * `settled`: it is where its record says, and nothing is left; `migrating`: its migration settles it; `repairable`: the findings tell how;
   * `waiting`: a node that is silent must be heard first; `blocked`: only an operator can decide; `unknown`: no node knows it.
   */
  readonly verdict: Verdict;
  /** The verdict in a sentence. */
  readonly says: string;
  readonly places: readonly GuestAt[];
  readonly unreached: AuditInput['unreached'];
  readonly findings: readonly Leftover[];
}

export function reconcileGuest(input: AuditInput, vmid: number): Reconciliation {
  const places = input.nodes.map((node) => placeOf(node, vmid)).filter((place) => place !== null);
  const findings = reconcileFindings(input, vmid);
  const { verdict, says } = judge(input, { vmid, places, findings });
  return { vmid, verdict, says, places, unreached: input.unreached, findings };
}

/**
 * The audit's findings of one guest. A guest that runs on the one node that can have it, whose record is lost, may be adopted there: the audit
 * offers that to nobody, since it makes a record; who names the guest has it offered.
 */
export function reconcileFindings(input: AuditInput, vmid: number): readonly Leftover[] {
  const node = adopterOf(input, vmid);
  return findLeftovers(input)
    .filter((leftover) => leftover.vmid === vmid)
    .map((leftover) =>
      leftover.repair === null && leftover.node === node && ADOPTABLE.includes(leftover.kind) ? { ...leftover, repair: { do: 'adopt' } } : leftover,
    );
}

const ADOPTABLE: readonly Leftover['kind'][] = ['record-unreadable', 'stray-process', 'incoming-process'];

/** The node that runs the guest without a record, if all nodes were asked and no other has a process, or a record that could become a permission. */
function adopterOf(input: AuditInput, vmid: number): NodeName | null {
  if (input.unreached.length > 0 || input.migrations.some((migration) => migration.vmid === vmid)) return null;
  const withProcess = input.nodes.filter(({ processes }) => processes.some((process) => process.vmid === vmid));
  const [node] = withProcess;
  if (node === undefined || withProcess.length > 1 || !hasConfigOn(node, vmid)) return null;
  const own = node.processes.filter((process) => process.vmid === vmid);
  const record = recordOn(node, vmid);
  if (own.length !== 1 || own[0]?.own !== true || own[0].waiting === true || (record !== 'missing' && record !== 'unreadable')) return null;
  const others = input.nodes.filter((other) => other !== node).map((other) => recordOn(other, vmid));
  return others.every((state) => state === 'missing' || state === 'released' || state === 'revoked') ? node.node : null;
}

function placeOf(node: AuditedNode, vmid: number): GuestAt | null {
  const summary = node.guests.find((guest) => guest.vmid === vmid);
  const record = fullRecordOn(node, vmid);
  const config = hasConfigOn(node, vmid);
  const hasProcess = node.processes.some((process) => process.vmid === vmid);
  if (summary === undefined && record === null && !config && !hasProcess) return null;
  return {
    node: node.node,
    record: recordOn(node, vmid),
    generation: summary?.generation ?? record?.generation ?? null,
    wanted: summary?.wanted ?? record?.wanted ?? null,
    // A process that is not the one that the node's worker knows: nobody can ask it what it does.
    qemu: summary?.qemu ?? (hasProcess ? 'unreachable' : 'gone'),
    migrationId: summary?.migrationId ?? record?.migrationId ?? null,
    config,
  };
}

type Facts = Pick<Reconciliation, 'vmid' | 'places' | 'findings'>;
type Judgement = Pick<Reconciliation, 'verdict' | 'says'>;

function judge(input: AuditInput, { vmid, places, findings }: Facts): Judgement {
  const name = `Guest ${String(vmid)}`;
  const silent = input.unreached.map(({ node }) => node).join(', ');
  const migration = input.migrations.find((one) => one.vmid === vmid);
  if (migration !== undefined && !findings.some(({ kind }) => kind === 'workflow-orphan')) {
    const id = migration.migrationId ?? `of guest ${String(vmid)}`;
    return migration.parked
      ? { verdict: 'blocked', says: `Migration ${id} waits for an operator: "kedge migration decide" first` }
      : { verdict: 'migrating', says: `${name} is being moved: migration ${id} settles it` };
  }
  const running = places.filter(({ qemu }) => qemu === 'running');
  const owner = certainOwner(input, vmid);
  if (running.length > 1) {
    const where = running.map(({ node }) => node).join(' and ');
    return owner === null
      ? {
          verdict: 'blocked',
          says: `ALARM: ${name} runs on ${where}, and its owner is not certain${silent === '' ? '' : ` (${silent} is silent)`}: nothing is stopped`,
        }
      : { verdict: 'repairable', says: `ALARM: ${name} runs on ${where}; ${owner.node.node} owns it, the other copy is to be stopped` };
  }
  const isLost = findings.some(({ kind }) => kind === 'note-lost');
  if (places.length === 0 && !isLost) {
    return silent === ''
      ? { verdict: 'unknown', says: `${name} is unknown: no node has a record, a config or a process of it` }
      : { verdict: 'waiting', says: `No node that answers knows ${name}, and ${silent} is silent: bring it back, or fence it, before anything else` };
  }
  if (findings.some(({ repair }) => repair !== null)) return { verdict: 'repairable', says: `${whereIs(name, places)}; the findings below can be repaired` };
  if (silent !== '')
    return { verdict: 'waiting', says: `${whereIs(name, places)}; ${silent} is silent and may have a copy too: nothing is done that needs its word` };
  if (findings.length > 0) return { verdict: 'blocked', says: `${whereIs(name, places)}; no repair is surely safe: decide by what the findings say` };
  return { verdict: 'settled', says: `${whereIs(name, places)}; nothing to settle` };
}

function whereIs(name: string, places: readonly GuestAt[]): string {
  const owners = places.filter(({ record }) => record === 'owned');
  const [owner] = owners;
  if (owners.length > 1) return `${name} is owned by ${owners.map(({ node }) => node).join(' and ')}`;
  if (owner === undefined) return `${name} is owned by no node that answers`;
  const state = owner.qemu === 'gone' ? 'it is off' : `it is ${owner.qemu}`;
  return `${name} is owned by ${owner.node}, where ${state}${owner.wanted === null ? '' : ` and wanted ${owner.wanted}`}`;
}
