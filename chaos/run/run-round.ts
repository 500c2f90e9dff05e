/** One round: move a guest, break something, wait until all has recovered, judge from outside. */
import { setTimeout as delay } from 'node:timers/promises';
import { observerSocket } from '../../lab/witness-place.js';
import { resetWitness } from '../../lab/witness/read-witness.js';
import type { MigrationOptions } from '../../src/domain/migration.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { hasFailed, type RoundResult } from '../judge/round-result.js';
import type { MemoryLoss } from '../judge/memory-loss.js';
import type { Survey } from '../judge/survey-types.js';
import { watchGuest, type GuestWatch } from '../observe/guest-watch.js';
import type { RoundPlan } from '../plan/round-plan.js';
import { GUESTS, type ChaosLab } from './chaos-lab.js';
import { interfere } from './interfere.js';
import { judgeRound } from './judge-round.js';
import { moveAgain } from './move-again.js';
import { awaitRecovery, MigrationEnd } from './recover.js';
import { StepSigns } from './step-signs.js';
import { armCrash, cutOff, prepareReturnPath, killQemu, strike, type StrikeContext, type Struck } from './strike.js';

/** How long a system may take to recover once the fault is over. */
const RECOVERY_LIMIT_MS = 180_000;
/** What an operator's answer may take to work. */
const DECIDED_LIMIT_MS = 60_000;
const POLL_MS = 3;
/** A mark that does not come in this time never will: the fault strikes all the same. */
const MARK_LIMIT_MS = 60_000;

export interface RoundContext {
  readonly lab: ChaosLab;
  readonly baseline: Survey;
  /** Is a guest moved again after a roll-back? Its boot would be blamed on the next round, so only where one failure ends the run. */
  readonly movesAgain: boolean;
}

interface Scene extends StrikeContext {
  readonly plan: RoundPlan;
  readonly watches: ReadonlyMap<number, GuestWatch>;
  readonly watch: GuestWatch;
}

/** Runs one round to its judgement. @throws KedgeError `lab-failed` when the lab itself breaks */
export async function runRound({ lab, baseline, movesAgain }: RoundContext, plan: RoundPlan): Promise<RoundResult & { readonly failed: boolean }> {
  const ends: MigrationEnd[] = [];
  const watches = new Map(GUESTS.map((guest) => [guest.vmid, watchGuest(guest, () => lab.state)]));
  try {
    const scene = await setScene(lab, { plan, watches });
    const passed = plan.fault.type === 'crash' ? await armCrash(scene, plan.fault) : () => false;
    if (plan.fault.type === 'return-path') await prepareReturnPath(scene, plan.fault);
    const end = await startMigration(scene);
    ends.push(end);
    const [struck, visitors] = await Promise.all([strikeInTime(scene, { end, passed }), interfere(scene, plan.action)]);
    ends.push(...visitors.started);
    await lab.heal();
    const recovered = await recover(scene, { ends, struck });
    const judgement = await judgeRound({
      lab,
      baseline,
      watches,
      losses: struck.losses,
      moved: scene.guest,
      mayBeDown: visitors.stopped,
      unfinished: recovered.unfinished,
    });
    const stuck = movesAgain && isRolledBack(end) && !hasFailed(judgement) ? await moveAgain(lab, scene) : null;
    const result: RoundResult = {
      plan,
      struck: struck.hits > 0,
      passed: plan.fault.type === 'crash' && struck.hits > 0 ? plan.fault.point : null,
      outcome: [outcomeOf(end), ...(visitors.answer === null ? [] : [visitors.answer])].join(', '),
      recoveryMs: recovered.at === null ? null : Math.max(0, Math.round(recovered.at - struck.endedAt)),
      needsOperator: recovered.needsOperator,
      ...judgement,
      leftovers: [...judgement.leftovers, ...(stuck === null ? [] : [`guest ${scene.guest.vmid} can't be moved again: ${stuck}`])],
    };
    return { ...result, failed: hasFailed(result) };
  } finally {
    for (const end of ends) end.stop();
    for (const watch of watches.values()) watch.close();
  }
}

async function setScene(lab: ChaosLab, { plan, watches }: Pick<Scene, 'plan' | 'watches'>): Promise<Scene> {
  const guest = GUESTS.find(({ kind }) => kind === plan.kind);
  const watch = watches.get(guest?.vmid ?? 0);
  if (guest === undefined || watch === undefined) throw new KedgeError('internal', `Cannot run round ${plan.round}: the lab has no guest "${plan.kind}"`);
  // At the very beginning nobody runs: the sockets have not answered yet.
  await awaitRecovery([], { watches, deadline: performance.now() + 10_000 });
  const [source] = watch.runningOn();
  const target = lab.nodes.find((node) => node !== source);
  if (source === undefined || target === undefined) throw new KedgeError('lab-failed', `Cannot run round ${plan.round}: guest ${guest.vmid} runs nowhere`);
  await Promise.all(GUESTS.map(({ vmid }) => resetWitness({ observerSocket: observerSocket(lab.state), vmid })));
  const hasLocalGuest = (node: string): boolean => GUESTS.some(({ vmid, isLocal }) => isLocal && watches.get(vmid)?.runningOn().includes(node) === true);
  return { lab, plan, guest, route: { source, target }, watch, watches, hasLocalGuest };
}

async function startMigration({ lab, guest, plan, route }: Scene): Promise<MigrationEnd> {
  const options: Partial<MigrationOptions> = { ...(guest.isLocal ? { restart: true } : { online: true }), bandwidthLimit: plan.bandwidthLimit ?? 0 };
  const ref = await lab.kedge.startMigration({ vmid: guest.vmid, source: route.source, target: route.target, requestedBy: 'chaos', options });
  return new MigrationEnd(lab.kedge, ref);
}

/** Waits for the moment, then strikes; a crash point strikes by itself, or never when the migration does not pass it. */
async function strikeInTime(scene: Scene, { end, passed }: { readonly end: MigrationEnd; readonly passed: () => boolean }): Promise<Struck> {
  const { plan, guest, route, watch, lab } = scene;
  const { fault } = plan;
  const lost = plan.loseTarget ? await loseLoadedTarget(scene, end) : [];
  if (fault.type === 'crash') {
    await waitFor(() => passed() || end.hasEnded, RECOVERY_LIMIT_MS);
    const hits = passed() ? 1 : 0;
    if (hits > 0) await cutOff(scene, fault);
    return { hits, losses: lost, endedAt: performance.now() };
  }
  const signs = new StepSigns(lab, { vmid: guest.vmid, route, watch });
  const { moment } = plan;
  if (moment !== null) {
    await waitFor(() => signs.has(moment.after) || end.hasEnded, MARK_LIMIT_MS);
    await delay(moment.delayMs);
  }
  const struck = await strike(scene, fault);
  return { ...struck, losses: [...struck.losses, ...lost] };
}

/** Its worker dies before `armed`, its QEMU with it: the source has to take the guest back. */
async function loseLoadedTarget(scene: Scene, end: MigrationEnd): Promise<readonly MemoryLoss[]> {
  const { lab, route, watch } = scene;
  await lab.break(route.target, { kind: 'crash-at', point: 'target.armed-record', moment: 'before' });
  await waitFor(() => watch.streamStatuses(route.source).includes('completed') || end.hasEnded, MARK_LIMIT_MS);
  return end.hasEnded ? [] : killQemu(scene, route.target);
}

async function waitFor(condition: () => boolean, limitMs: number): Promise<void> {
  for (const until = performance.now() + limitMs; !condition() && performance.now() < until; ) await delay(POLL_MS);
}

interface Recovered {
  /** Null: it did not recover in time. */
  readonly at: number | null;
  readonly needsOperator: boolean;
  readonly unfinished: boolean;
}

/** Waits for the recovery; a migration that waits for an operator gets the answer that changes nothing by itself: look again. */
async function recover(scene: Scene, { ends, struck }: { readonly ends: readonly MigrationEnd[]; readonly struck: Struck }): Promise<Recovered> {
  const { watches, lab, guest } = scene;
  const first = await awaitRecovery(ends, { watches, deadline: struck.endedAt + RECOVERY_LIMIT_MS });
  if (first.migrationEnded) return { at: first.notRunning.length === 0 ? first.at : null, needsOperator: false, unfinished: false };
  const parked = ends.some(({ isParked }) => isParked);
  if (!parked) return { at: null, needsOperator: false, unfinished: true };
  await lab.kedge.decideMigration(String(guest.vmid), 'retry').catch(() => undefined);
  const second = await awaitRecovery(ends, { watches, deadline: performance.now() + DECIDED_LIMIT_MS });
  return { at: null, needsOperator: true, unfinished: !second.migrationEnded };
}

/** It is where it was, by failure or by wish. */
const isRolledBack = ({ view }: MigrationEnd): boolean => ['rolled-back', 'cancelled'].includes(view?.story?.outcome ?? '');

function outcomeOf({ view }: MigrationEnd): string {
  if (view === null) return 'unknown';
  const outcome = view.story?.outcome ?? view.status;
  return view.failure === null ? outcome : `${outcome} (${view.failure.code})`;
}
