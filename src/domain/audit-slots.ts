import type { AuditedSlot, AuditFinding, AuditInput } from './audit-types.js';

/** Slots of admission whose holders have ended: they keep others waiting. */
export function auditSlots({ slots }: AuditInput): readonly AuditFinding[] {
  if (slots === null) return [unseen];
  return slots.filter((slot) => !slot.running).map(leaked);
}

const unseen: AuditFinding = {
  node: null,
  vmid: null,
  kind: 'slots-not-audited',
  what: 'admission gave no answer',
  meaning: 'Nobody knows which slots are held, and whether their holders still run',
  remedy: 'Check that "kedge control" runs, then audit again',
};

function leaked({ holder, runId, nodes }: AuditedSlot): AuditFinding {
  const vmid = /^migration-(\d+)$/.exec(holder)?.[1];
  const release = JSON.stringify({ holder, runId });
  return {
    node: null,
    vmid: vmid === undefined ? null : Number(vmid),
    kind: 'slot-leaked',
    key: `${holder}/${runId}`,
    what: `${holder} holds a slot on ${nodes.join(' and ')}, and does not run any more`,
    meaning:
      'It ended without a word, as after "temporal workflow terminate". One migration less may touch these nodes, until admission looks: within ten minutes, or within seconds when one has to wait',
    remedy: `Nothing has to be done; to free it now: temporal workflow signal --workflow-id admission --name release --input '${release}'`,
    repair: { do: 'release-slot', holder, runId },
  };
}
