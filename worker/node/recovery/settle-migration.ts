/**
 * Settles one migration whose end is in doubt: look at both sides, ask the table (src/domain/decide.ts) for one step, do it,
 * look again. Every caller comes here: local recovery, the roll-back of an attempt, the workflow's reconciler.
 *
 * Each turn holds the guest's lock on this node from the look to the end of the step. The other node is only asked: it acts on
 * its own guest, under its own lock. Holding our lock while we wait for its answer can't deadlock: what it may ask of us
 * meanwhile is `observe`, which takes no lock, and `settle`, which is accepted and done later.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { MigrationRole, SettledMigration } from '../../../activities/interface.js';
import { decide, type Decision } from '../../../src/domain/decide.js';
import type { Generation, MigrationId, NodeName, Vmid } from '../../../src/domain/ids.js';
import { inDoubtFrom, type SideView } from '../../../src/domain/in-doubt-from.js';
import type { Circumstances } from '../../../src/domain/in-doubt.js';
import type { ErrorCode } from '../../../src/domain/error-codes.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { GuestView } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { isSabotaged } from '../../../src/drivers/host/sabotage.js';
import { lookAtGuest, type GuestLook } from '../guests/look-at-guest.js';
import type { StreamEntry } from '../journal/stream-journal.js';
import type { NodeContext } from '../node-context.js';
import { isOfEarlierBoot, isVoid } from '../offline/take-over-alone.js';
import { actOnSource } from './act-on-source.js';
import { actOnTarget } from './act-on-target.js';
import { askPeer } from './ask-peer.js';
import { FrozenWatch } from './frozen-watch.js';

export interface SettleRequest {
  readonly step: { readonly vmid: Vmid; readonly migrationId: MigrationId; readonly generation: Generation };
  readonly source: NodeName;
  readonly target: NodeName;
  /** `forward`: finish what can be finished; `back`: the attempt is over, the guest shall stay at the source. */
  readonly direction: 'forward' | 'back';
  /** A healthy copy under way is left alone: answers null. Otherwise it is given up. Default: given up. */
  readonly leaveCopyAlone?: boolean;
  /**
   * That node is off for good, and its record void by a durable decision of the cluster: it counts as fenced as long as it does not answer.
   * If it does, what it says counts: it was not off, or it is back and has made its record void.
   */
  readonly dead?: MigrationRole;
  /** To be asked under the lock before each turn: an attempt that was overtaken must not go by a statement that may have been withdrawn since. */
  readonly assertCurrent?: () => void;
}

/** How long one call tries before it reports what it could not find out; less than an activity may take, and the workflow calls again. */
const SETTLE_TIMEOUT_MS = 30_000;
const LOOK_AGAIN_MS = 50;
const LOOK_AGAIN_LATER_MS = 500;
/** How long a guest stands still for a target that does not answer, or can't write that it is armed (its disk is full). */
const SILENT_TARGET_MS = 3_000;
/** Decisions after which nothing changes before another process has acted. */
const PEER_ACTS: readonly Decision['do'][] = ['needs-evidence', 'start-from-disk-on-target', 'take-over-on-target', 'cont-on-target', 'kill-target-copy'];
/** The state has changed between the look and the step: the next look tells how. */
const TRANSIENT: readonly ErrorCode[] = ['guest-state', 'qmp-error', 'qmp-timeout', 'qmp-disconnected', 'qmp-busy'];

/**
 * Answers where the guest is.
 * @throws KedgeError `outcome-unknown` (retryable) while evidence is missing, `needs-operator` when no rule may choose
 */
export async function settleMigration(node: NodeContext, request: SettleRequest): Promise<SettledMigration> {
  const settled = await settleOrLeave(node, { ...request, leaveCopyAlone: false });
  if (settled === null) throw new KedgeError('outcome-unknown', `Cannot settle ${request.step.migrationId}: its copy is under way`);
  return settled;
}

/** As `settleMigration`, but answers null for a healthy copy under way when the request says to leave it alone. */
export async function settleOrLeave(node: NodeContext, request: SettleRequest): Promise<SettledMigration | null> {
  const deadline = performance.now() + SETTLE_TIMEOUT_MS;
  const frozen = new FrozenWatch();
  let direction = request.direction;
  let standsSinceMs: number | null = null;
  let memoryLost = false;
  for (;;) {
    const { decision, look } = await node.locks.withLock(request.step.vmid, async () => {
      request.assertCurrent?.();
      const turn = await decideNow(node, { ...request, direction }, frozen);
      await act(node, request, turn);
      return turn;
    });
    if ('memoryLost' in decision) memoryLost = true;
    const outcome = outcomeOf(decision, look, memoryLost);
    if (outcome !== null) return await withHistory(node, request, outcome);
    if (decision.do === 'continue' && look.view.qemu !== 'pre-switchover') {
      if (request.leaveCopyAlone === true) return null;
      direction = 'back';
    }
    if (standsForTarget(decision, look)) {
      standsSinceMs ??= performance.now();
      // The guest stands still and nobody else can end that: without the target it goes on where it is. Race: an arm whose answer was
      // lost may still be written, or be under way. It can't do harm: go was never sent (`released` comes before it, and would give another
      // decision than these), and taking back burns the generation that was armed. The model has this deadline at any time.
      if (performance.now() - standsSinceMs > SILENT_TARGET_MS) direction = 'back';
    }
    if (performance.now() > deadline) {
      throw new KedgeError('outcome-unknown', `Cannot settle ${request.step.migrationId} yet: ${decision.because}`, {
        details: { row: decision.row, decision: decision.do },
      });
    }
    await delay(PEER_ACTS.includes(decision.do) ? LOOK_AGAIN_LATER_MS : LOOK_AGAIN_MS);
  }
}

/**
 * Does the guest stand still until the target is armed? Before the final pass (`pre-switchover`), or after it with `released` not written:
 * a hand-over that has armed the target is no such decision any more at the next look.
 */
function standsForTarget(decision: Decision, look: GuestLook): boolean {
  if (decision.do === 'hand-over') return true;
  return look.view.qemu === 'pre-switchover' && (decision.do === 'wait' || decision.do === 'continue');
}

/** What only a sabotaged product decides while the target is silent. */
const UNASKED: Decision = { do: 'take-back', row: 'sabotage', because: 'The target is silent, and nobody asked it' };

/** One turn of the loop: what was decided upon what. */
export interface SettleTurn {
  readonly decision: Decision;
  /** What this node itself has. */
  readonly look: GuestLook;
  /** On the source: the final pass (or the monitor) has stood still for too long. */
  readonly frozen: boolean;
}

async function decideNow(node: NodeContext, request: SettleRequest, watch: FrozenWatch): Promise<SettleTurn> {
  const { step, source, target } = request;
  const look = await lookAtGuest(node, step.vmid);
  const weAreSource = source === node.node;
  const answer: GuestView | 'unreachable' = await askPeer(node, weAreSource ? target : source, step.vmid);
  const other: SideView = answer === 'unreachable' && isSabotaged('no-fence') ? 'fenced' : sideOf(answer, { request, isTarget: weAreSource });
  const entry = weAreSource ? await node.streams.read(step.vmid, step.migrationId) : null;
  const frozen = weAreSource && watch.isFrozen(look);
  const circumstances: Circumstances = {
    attempt: request.direction === 'forward' ? 'open' : 'over',
    stream: entry === null ? 'none' : streamStateOf(look, entry),
    frozen,
    sharedDisks: true,
  };
  const asked = decide(inDoubtFrom({ source: weAreSource ? look.view : other, target: weAreSource ? other : look.view, migration: step, circumstances }));
  const decision = isSabotaged('no-revoke') && answer === 'unreachable' && look.view.qemu === 'postmigrate' ? UNASKED : asked;
  node.log.info(
    {
      ...step,
      row: decision.row,
      decision: decision.do,
      direction: request.direction,
      own: look.view.qemu,
      other: typeof answer === 'string' ? answer : answer.qemu,
    },
    'settling',
  );
  return { decision, look, frozen };
}

/**
 * A source whose record is void is as good as one that is off, whoever asks: only the cluster's durable decision makes it so (a `revoked` target
 * has rows of its own). A node that was given up and does not answer counts as off too.
 */
function sideOf(other: GuestView | 'unreachable', { request, isTarget }: { request: SettleRequest; isTarget: boolean }): SideView {
  if (other !== 'unreachable' && !isTarget && isVoid(other, request.step)) return 'fenced';
  if (request.dead !== (isTarget ? 'target' : 'source')) return other;
  if (other === 'unreachable') return 'fenced';
  // It is back and has not registered yet: its record is about to be made void, and is neither one thing nor the other.
  return isOfEarlierBoot(other) ? 'unreachable' : other;
}

function streamStateOf(look: GuestLook, entry: StreamEntry): 'none' | 'active' | 'ended' {
  const status = look.reading?.migration.status;
  if (status === 'setup' || status === 'active' || status === 'cancelling' || status === 'wait-unplug') return 'active';
  // A worker that died right before `migrate`: the copy has not begun, the next attempt begins it. The status is then that of
  // whatever stream this QEMU had before: it came here by one, or an earlier migration was cancelled.
  return entry.state === 'intended' ? 'none' : 'ended';
}

async function act(node: NodeContext, request: SettleRequest, turn: SettleTurn): Promise<void> {
  const weAreSource = request.source === node.node;
  if (turn.decision.do === 'alarm') {
    node.log.error({ ...request.step, row: turn.decision.row, stop: turn.decision.stop }, `ALARM: ${turn.decision.because}`);
    throw new KedgeError('needs-operator', `Cannot settle ${request.step.migrationId}: ${turn.decision.because}`, { details: { row: turn.decision.row } });
  }
  if (turn.decision.do === 'needs-operator') {
    throw new KedgeError('needs-operator', `Cannot settle ${request.step.migrationId}: ${turn.decision.because}`, { details: { row: turn.decision.row } });
  }
  try {
    await (weAreSource ? actOnSource(node, request, turn) : actOnTarget(node, request, turn));
  } catch (error) {
    if (!(error instanceof KedgeError) || !TRANSIENT.includes(error.code)) throw error;
    node.log.warn({ ...request.step, row: turn.decision.row, error }, 'a step of the settlement did not succeed, looking again');
  }
}

function outcomeOf(decision: Decision, look: GuestLook, memoryLost: boolean): SettledMigration | null {
  switch (decision.do) {
    case 'settled':
      return decision.at === 'target'
        ? { outcome: 'target-owns', memoryLost, blackout: null }
        : { outcome: 'source-owns', memoryLost, reason: decision.because };
    case 'release-source':
    case 'guest-ended-on-target':
      return { outcome: 'target-owns', memoryLost, blackout: null };
    case 'superseded': {
      const { record } = look.view;
      const ownedHere = record.kind === 'record' && record.record.state === 'owned';
      return ownedHere ? { outcome: 'source-owns', memoryLost, reason: decision.because } : { outcome: 'target-owns', memoryLost, blackout: null };
    }
    default:
      return null;
  }
}

/** What an earlier settlement of the same migration found out (a lost memory) still holds. */
async function withHistory(node: NodeContext, request: SettleRequest, settled: SettledMigration): Promise<SettledMigration> {
  const entry = await node.streams.read(request.step.vmid, request.step.migrationId);
  if (entry === null) return settled;
  if (settled.memoryLost && !entry.memoryLost)
    await crashPoint('source.memory-lost', () => node.streams.write(request.step.vmid, { ...entry, memoryLost: true }));
  return { ...settled, memoryLost: settled.memoryLost || entry.memoryLost };
}
