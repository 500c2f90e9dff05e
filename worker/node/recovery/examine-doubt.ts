import type { DoubtExamination } from '../../../activities/interface.js';
import { decide, type Decision } from '../../../src/domain/decide.js';
import type { Generation, MigrationId, NodeName, Vmid } from '../../../src/domain/ids.js';
import { inDoubtFrom } from '../../../src/domain/in-doubt-from.js';
import type { GuestView } from '../../../src/domain/ownership.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from './ask-peer.js';

export interface DoubtRequest {
  readonly vmid: Vmid;
  readonly migrationId: MigrationId;
  /** That of the migration: g+1. */
  readonly generation: Generation;
  readonly source: NodeName;
  readonly target: NodeName;
}

/** What this node knows of a migration in doubt, and what it could do if the other one were known to be off. Changes nothing, takes no lock. */
export async function examineDoubt(node: NodeContext, request: DoubtRequest): Promise<DoubtExamination> {
  const isSource = request.source === node.node;
  const { view } = await lookAtGuest(node, request.vmid);
  const peer = await askPeer(node, isSource ? request.target : request.source, request.vmid);
  return {
    view,
    peer: peer === 'unreachable' ? null : peer,
    alone: isOffline(view) ? await offlineAlone(node, request, view) : liveAlone(request, { isSource, view }),
  };
}

function isOffline({ record }: GuestView): boolean {
  return record.kind === 'record' && record.record.mode === 'offline';
}

const IMPOSSIBLE: readonly Decision['do'][] = ['needs-operator', 'needs-evidence', 'alarm', 'superseded'];

/** What the in-doubt table decides first when the other side is fenced. */
function liveAlone(request: DoubtRequest, { isSource, view }: { isSource: boolean; view: GuestView }): DoubtExamination['alone'] {
  const circumstances = { attempt: 'over', stream: 'none', frozen: false, sharedDisks: true } as const;
  const sides = isSource ? ({ source: view, target: 'fenced' } as const) : ({ source: 'fenced', target: view } as const);
  const decision = decide(inDoubtFrom({ ...sides, migration: request, circumstances }));
  if (IMPOSSIBLE.includes(decision.do)) return { possible: false, what: decision.because };
  const { vmid, source, target } = request;
  const starts = (on: NodeName): string => `guest ${vmid} is started from its disks on ${on}; what it had in memory is lost`;
  if (decision.do === 'start-from-disk-on-source') return { possible: true, what: starts(source) };
  if (decision.do === 'take-over-on-target') return { possible: true, what: starts(target) };
  return { possible: true, what: `guest ${vmid} goes on at ${isSource ? source : target}` };
}

/** Of a guest that is off: the source has its disks until the hand-over, the target a whole copy once every volume is published. */
async function offlineAlone(node: NodeContext, { vmid, migrationId, source, target }: DoubtRequest, view: GuestView): Promise<DoubtExamination['alone']> {
  const record = view.record.kind === 'record' ? view.record.record : null;
  if (record?.migrationId !== migrationId) return { possible: false, what: `${node.node} has nothing of this migration that could go on` };
  if (record.state === 'owned' || record.state === 'releasing') return { possible: true, what: `guest ${vmid} goes on at ${source}, with its own disks` };
  if (record.state === 'released') {
    return {
      possible: true,
      what: `guest ${vmid} goes on at ${source}, with its disks as they were at its shutdown; if ${target} had started it already, what it wrote there is given up`,
    };
  }
  if (record.state !== 'incoming' && record.state !== 'armed') return { possible: false, what: `${target} has given its copy up` };
  const entry = await node.volumes.read(vmid);
  if (entry !== null && entry.volumes.some(({ state }) => state !== 'published'))
    return { possible: false, what: `the copy of guest ${vmid} on ${target} is not complete: its only whole disks are on ${source}` };
  return { possible: true, what: `guest ${vmid} goes on at ${target}, with disks that were found equal to those of ${source} after its shutdown` };
}
