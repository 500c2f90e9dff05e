import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { GuestKind } from '../../src/domain/ownership.js';
import { askGuestStatus, askGuestVerify, type GuestQuestion } from './ask-guest.js';
import { askObserver } from './ask-observer.js';
import type { JournalCheck } from './journal-check.js';
import { observerReportSchema, type ObserverReport } from './observer-report.js';
import { readJournal } from './read-journal.js';
import { judgeWitness, type Verdict } from './verdict.js';

export interface WitnessQuestion {
  readonly observerSocket: string;
  readonly vmid: number;
  /** The raw image (or a path that leads to it) with the guest's journal; null: the guest has none. */
  readonly imagePath: string | null;
  /** Watch this long first; default 0. */
  readonly observeMs?: number;
  /** How long the guest may take for its answers; default 30 s. */
  readonly answerTimeoutMs?: number;
  readonly allowedReboots?: number;
  /** Default `qemu`; the memory of a container is not asked for. */
  readonly kind?: GuestKind;
}

/**
 * Judges a witness guest over the measuring interval that runs since the last reset (or its first tick). The guest checks its
 * memory, then the observer is asked, then the disk is read: whatever was acknowledged by then must be there.
 * A guest that is silent gets a bad verdict, not an error.
 * @throws KedgeError `not-found` for a guest that never ticked, `lab-failed` without an observer, `storage-failed` for an unreadable image
 */
export async function readWitness(question: WitnessQuestion): Promise<Verdict> {
  const { observerSocket, vmid, observeMs = 0, answerTimeoutMs = 30_000, allowedReboots = 0, kind = 'qemu' } = question;
  await readObserverReport({ observerSocket, vmid });
  if (observeMs > 0) await sleep(observeMs);
  const guest: GuestQuestion = { observerSocket, vmid, timeoutMs: answerTimeoutMs };
  const verify = kind === 'lxc' ? null : await orNull(() => askGuestVerify(guest));
  // A VM that is silent once is not asked a second time.
  const status = kind === 'qemu' && verify === null ? null : await orNull(() => askGuestStatus(guest));
  const report = await readObserverReport({ observerSocket, vmid });
  const journal = await checkDisk(question, { report, slots: status?.journal.slots ?? null });
  return judgeWitness({ kind, report, verify, journal, allowedReboots });
}

/** What the observer knows about a guest. @throws KedgeError `not-found`, `lab-failed` */
export async function readObserverReport({ observerSocket, vmid }: { observerSocket: string; vmid: number }): Promise<ObserverReport> {
  return observerReportSchema.parse(await askObserver(observerSocket, { op: 'report', vmid }));
}

/** Begins a new measuring interval: what was counted before is forgotten. @throws KedgeError `not-found`, `lab-failed` */
export async function resetWitness({ observerSocket, vmid }: { observerSocket: string; vmid: number }): Promise<void> {
  z.object({ ok: z.literal(true) }).parse(await askObserver(observerSocket, { op: 'reset', vmid }));
}

/** Without the guest's word on the size of the ring, a journal that never wrapped can be read all the same. */
const DEFAULT_SLOTS = (64 << 20) / 512;

async function checkDisk(
  { imagePath, vmid }: WitnessQuestion,
  { report, slots }: { report: ObserverReport; slots: number | null },
): Promise<JournalCheck | null> {
  if (imagePath === null) return null;
  const boots = report.boots.map(({ nonce, journalFirst, journalAcked }) => ({ nonce, first: journalFirst, acked: journalAcked }));
  return readJournal(imagePath, { vmid, slots: slots ?? DEFAULT_SLOTS, boots });
}

async function orNull<Answer>(ask: () => Promise<Answer>): Promise<Answer | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof KedgeError && error.code === 'lab-failed') return null;
    throw error;
  }
}
