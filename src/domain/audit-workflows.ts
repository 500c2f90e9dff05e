import { fullRecordOn, generationsOf, hasConfigOn } from './audit-owner.js';
import type { AuditedSchedule, AuditFinding, AuditInput, RunningMigration } from './audit-types.js';
import { parseMigrationId } from './ids.js';
import { migrationWorkflowId, WORKFLOW_TYPES } from './workflow-names.js';

/** Workflows and schedules of Kedge that are about nothing that any node knows. Not judged while a node is silent: it may know. */
export function auditWorkflows(input: AuditInput): readonly AuditFinding[] {
  if (input.unreached.length > 0) return [];
  return [
    ...input.migrations.filter((migration) => isOrphan(migration, input)).map(orphanWorkflow),
    ...input.schedules.flatMap((schedule) => {
      const why = schedule.paused ? null : whyPointless(schedule, input);
      return why === null ? [] : [pointlessSchedule(schedule, why)];
    }),
  ];
}

/**
 * A migration that no node knows anything of. Two cases: no record, config or process of the guest is anywhere; or the guest has gone through
 * another migration since, which the records show by a generation beyond that of this attempt's roll-back, and none names this one.
 *
 * Migrations are listed before the nodes are asked, and a guest has its record before it is moved: one that has only begun is not taken for such.
 */
function isOrphan({ vmid, migrationId }: RunningMigration, input: AuditInput): boolean {
  if (!isKnown(vmid, input)) return true;
  if (migrationId === null || isNamed(migrationId, input)) return false;
  return Math.max(0, ...generationsOf(input, vmid)) > parseMigrationId(migrationId).generation + 1;
}

function isKnown(vmid: number, { nodes }: AuditInput): boolean {
  return nodes.some(
    (node) =>
      node.views === undefined ||
      node.guests.some((guest) => guest.vmid === vmid) ||
      node.processes.some((process) => process.vmid === vmid) ||
      node.journalOpen.some((entry) => entry.vmid === vmid) ||
      fullRecordOn(node, vmid) !== null ||
      hasConfigOn(node, vmid),
  );
}

function isNamed(migrationId: string, { nodes }: AuditInput): boolean {
  return nodes.some(
    ({ guests, views = [], journalOpen, incoming = [] }) =>
      guests.some((guest) => guest.migrationId === migrationId) ||
      views.some(({ record }) => record.kind === 'record' && record.record.migrationId === migrationId) ||
      [...journalOpen, ...incoming].some((entry) => entry.migrationId === migrationId),
  );
}

function orphanWorkflow({ vmid, runId, migrationId }: RunningMigration): AuditFinding {
  const workflowId = migrationWorkflowId(vmid);
  return {
    node: null,
    vmid,
    kind: 'workflow-orphan',
    key: runId,
    what: `workflow ${workflowId}${migrationId === null ? '' : ` (migration ${migrationId})`} runs, and no node knows ${migrationId === null ? 'its guest' : 'its guest or its attempt'}`,
    meaning: 'It can move nothing, holds the place of the next migration of this guest, and may hold a slot',
    remedy: `Read "kedge migration show ${migrationId ?? String(vmid)}"; to end it by hand: temporal workflow terminate --workflow-id ${workflowId}`,
    repair: { do: 'end-workflow', workflowId, runId },
  };
}

/** Why the schedule starts nothing that could work; null when it may. */
function whyPointless({ workflowType, vmid, nodes }: AuditedSchedule, input: AuditInput): string | null {
  if (!Object.values<string>(WORKFLOW_TYPES).includes(workflowType)) return `this Kedge has no workflow type ${workflowType}`;
  const strange = nodes.find((name) => !input.nodes.some(({ node }) => node === name));
  if (strange !== undefined) return `the cluster has no node ${strange}`;
  return vmid !== null && !isKnown(vmid, input) ? `no node knows guest ${String(vmid)}` : null;
}

function pointlessSchedule({ scheduleId, workflowType, vmid }: AuditedSchedule, why: string): AuditFinding {
  return {
    node: null,
    vmid,
    kind: 'schedule-orphan',
    key: scheduleId,
    what: `schedule ${scheduleId} starts ${workflowType}: ${why}`,
    meaning: 'Each start of it can only fail',
    remedy: `Look at it with "temporal schedule describe --schedule-id ${scheduleId}", then correct or delete it`,
    repair: { do: 'pause-schedule', scheduleId },
  };
}
