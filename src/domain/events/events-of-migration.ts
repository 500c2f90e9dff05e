import type { MigrationStory, StepReport } from '../migration.js';
import type { ClusterEvent } from './event.js';
import type { MigrationFact } from './facts.js';

/** Ids are made of the run: one execution is one migration. */
export function eventsOfMigration(fact: MigrationFact): readonly ClusterEvent[] {
  const { run, said, vmid } = fact;
  const source = said?.source ?? fact.source;
  const target = said?.target ?? fact.target;
  const nodes = [source, target].filter((node) => node !== null);
  const event = (what: string, rest: Pick<ClusterEvent, 'at' | 'kind' | 'text'>): ClusterEvent => ({
    id: `${run.workflowId}.${run.runId}.${what}`,
    ...rest,
    vmid,
    nodes,
    workflowId: run.workflowId,
  });
  const way = `of guest ${vmid}${source === null ? '' : ` from ${source}`}${target === null ? '' : ` to ${target}`}`;
  const by = said?.requestedBy ?? fact.requestedBy;
  const events = [
    event('started', { at: run.startedAt, kind: 'migration-started', text: `Migration ${way} started${by === null ? '' : `, asked for by ${by}`}` }),
  ];
  const committedAt = said === null ? null : committed(said);
  if (committedAt !== null)
    events.push(
      event('committed', { at: committedAt, kind: 'migration-committed', text: `Guest ${vmid} was handed over${target === null ? '' : ` to ${target}`}` }),
    );
  if (run.endedAt === null) {
    const question = said?.question ?? null;
    if (question !== null) {
      const text = `Migration ${way} waits for an operator: ${question.message}`;
      events.push(event(`needs-operator.${question.since}`, { at: question.since, kind: 'migration-needs-operator', text }));
    }
  } else events.push(event('ended', { at: run.endedAt, ...endOf(fact, way) }));
  return events;
}

function endOf({ run, said, failure, vmid }: MigrationFact, way: string): Pick<ClusterEvent, 'kind' | 'text'> {
  if (run.state === 'completed' && said?.outcome === 'guest-lost-memory')
    return { kind: 'migration-failed', text: `Migration ${way} ended, but guest ${vmid} lost its memory and was started from its disks` };
  if (run.state === 'completed') return { kind: 'migration-ended', text: `Migration ${way} ended: ${said?.outcome ?? 'done'}${blackoutOf(said)}` };
  if (failure?.code === 'cancelled') return { kind: 'migration-cancelled', text: `Migration ${way} was cancelled` };
  return { kind: 'migration-failed', text: `Migration ${way} failed: ${failure?.message ?? 'it was ended by force'}` };
}

function blackoutOf(story: MigrationStory | null): string {
  const ms = story?.blackout?.stopToResumeMs ?? story?.downtimeMs ?? null;
  return ms === null ? '' : `, the guest was away for ${Math.round(ms)} ms`;
}

/**
 * When the guest changed hands: the end of the step after which nothing unwinds. A hand-over that is still under way is already in the list, as all
 * steps that were begun; it is over once another step follows, or the whole has ended.
 */
function committed({ steps, endedAt }: MigrationStory): string | null {
  const at = steps.findLastIndex(({ step, outcome }) => (step === 'switchover' || step === 'hand-over') && outcome === 'done');
  const step: StepReport | undefined = steps[at];
  if (step === undefined || (step.step === 'hand-over' && at === steps.length - 1 && endedAt === null)) return null;
  return new Date(Date.parse(step.startedAt) + step.durationMs).toISOString();
}
