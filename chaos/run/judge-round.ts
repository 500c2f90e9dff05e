/** Gathers the evidence of a round and judges it: runners, witnesses, leftovers. What is off for a reason is started again, for the next round. */
import { setTimeout as delay } from 'node:timers/promises';
import { observerSocket, witnessPlace } from '../../lab/witness-place.js';
import { readWitness } from '../../lab/witness/read-witness.js';
import type { Verdict } from '../../lab/witness/verdict.js';
import { collectAudit } from '../../src/cli/collect-audit.js';
import { findLeftovers } from '../../src/domain/audit.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { findStrays } from '../judge/find-strays.js';
import { judgeVerdict } from '../judge/judge-witness.js';
import { mayHaveLostMemory, type MemoryLoss } from '../judge/memory-loss.js';
import type { RoundResult } from '../judge/round-result.js';
import type { PlacedGuest, Survey } from '../judge/survey-types.js';
import type { GuestWatch } from '../observe/guest-watch.js';
import { survey } from '../observe/survey.js';
import { GUESTS, type ChaosGuest, type ChaosLab } from './chaos-lab.js';

/** Guests boot, and the last files go, a while after the end. */
const SETTLE_LIMIT_MS = 40_000;
const LOOK_AGAIN_MS = 300;
const ALLOWED_REBOOTS = 3;

export interface Evidence {
  readonly lab: ChaosLab;
  readonly baseline: Survey;
  readonly watches: ReadonlyMap<number, GuestWatch>;
  readonly losses: readonly MemoryLoss[];
  /** The guest that the round moved. */
  readonly moved: ChaosGuest;
  /** Guests that somebody had stopped. */
  readonly mayBeDown: readonly number[];
  /** The migration has not ended in time. */
  readonly unfinished: boolean;
}

type Judgement = Pick<RoundResult, 'doubles' | 'leftovers' | 'lost'>;

export async function judgeRound(evidence: Evidence): Promise<Judgement> {
  const { watches, unfinished } = evidence;
  const ranTwice = doublesOf(watches);
  // Both copies write to the same disks: what is found from here on is only more of the same.
  if (ranTwice.length > 0) return { doubles: ranTwice, lost: [], leftovers: [] };
  const down = await raiseAllowed(evidence);
  const witnesses = await Promise.all(GUESTS.filter(({ vmid }) => !down.includes(vmid)).map((guest) => settledVerdict(evidence, guest)));
  const judged = witnesses.map(judgeVerdict);
  const leftovers = down.length > 0 ? [] : await settledLeftovers(evidence);
  // Last, so that the whole time of the judgement is watched, too.
  return {
    doubles: [...doublesOf(watches), ...judged.flatMap(({ doubles }) => doubles)],
    lost: [...down.map((vmid) => `guest ${vmid}: runs on ${watches.get(vmid)?.runningOn().join(' and ') || 'no node'}`), ...judged.flatMap(({ lost }) => lost)],
    leftovers: [...(unfinished ? ['the migration has not ended'] : []), ...leftovers],
  };
}

function doublesOf(watches: Evidence['watches']): readonly string[] {
  return [...watches].flatMap(([vmid, watch]) => [...watch.doubles(), ...watch.unwatched()].map((what) => `guest ${vmid}: ${what}`));
}

/** Starts guests that may be off; answers those that should run on one node and don't. */
async function raiseAllowed({ lab, watches, losses, mayBeDown }: Evidence): Promise<readonly number[]> {
  const down = GUESTS.filter(({ vmid }) => watches.get(vmid)?.runningOn().length !== 1);
  const lost: number[] = [];
  for (const { vmid } of down) {
    const watch = watches.get(vmid);
    const isAllowed = mayBeDown.includes(vmid) || mayHaveLostMemory(losses, { vmid, spans: watch?.spans() ?? [] });
    if (watch?.runningOn().length !== 0 || !isAllowed || !(await startSomewhere(lab, vmid))) lost.push(vmid);
    else await waitUntilRunning(watch);
  }
  return lost;
}

async function waitUntilRunning(watch: GuestWatch): Promise<void> {
  const until = performance.now() + SETTLE_LIMIT_MS;
  while (watch.runningOn().length !== 1 && performance.now() < until) await delay(LOOK_AGAIN_MS);
}

/** As an operator would, on the node that has it; the others refuse. */
async function startSomewhere(lab: ChaosLab, vmid: number): Promise<boolean> {
  for (const node of lab.nodes) {
    try {
      await lab.kedge.manageGuest({ node: parseNodeName(node), command: { verb: 'start', vmid: parseVmid(vmid) } });
      return true;
    } catch (error) {
      if (!(error instanceof KedgeError)) throw error;
    }
  }
  return false;
}

async function settledVerdict({ lab, watches, losses, moved, mayBeDown }: Evidence, guest: ChaosGuest): Promise<Verdict> {
  const { vmid, isContainer } = guest;
  const isRestarted = vmid === moved.vmid && moved.isLocal;
  const mayReboot = isRestarted || mayBeDown.includes(vmid) || mayHaveLostMemory(losses, { vmid, spans: watches.get(vmid)?.spans() ?? [] });
  const until = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const verdict = await readWitness({
      observerSocket: observerSocket(lab.state),
      vmid,
      kind: isContainer ? 'lxc' : 'qemu',
      imagePath: witnessPlace(lab.state, vmid).journal,
      answerTimeoutMs: 5_000,
      allowedReboots: mayReboot ? ALLOWED_REBOOTS : 0,
    });
    // What is silent boots, maybe; what went wrong stays wrong.
    if (verdict.ok || performance.now() > until) return verdict;
    await delay(LOOK_AGAIN_MS);
  }
}

async function settledLeftovers({ lab, baseline, watches }: Evidence): Promise<readonly string[]> {
  const guests = GUESTS.map(({ vmid, isContainer, isLocal }): PlacedGuest => ({ vmid, isContainer, isLocal, node: watches.get(vmid)?.runningOn()[0] ?? '' }));
  const until = performance.now() + SETTLE_LIMIT_MS;
  for (;;) {
    const strays = findStrays(await survey(lab), { guests, baseline });
    const isLate = performance.now() > until;
    const audited = strays.length > 0 && !isLate ? [] : await audit(lab);
    if ((strays.length === 0 && audited.length === 0) || isLate) return [...strays, ...audited];
    await delay(LOOK_AGAIN_MS);
  }
}

async function audit(lab: ChaosLab): Promise<readonly string[]> {
  const found = findLeftovers(await collectAudit({ ...lab.kedge, migrationDefaults: {}, blackouts: [], migrationAddress: (node) => node }));
  return found.map(({ node, vmid, kind, what }) => `audit: ${node ?? 'cluster'}: ${kind}${vmid === null ? '' : ` of ${vmid}`}: ${what}`);
}
