import { z } from 'zod';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { askObserver } from './ask-observer.js';
import { guestStatusSchema, verifyAnswerSchema, type GuestStatus, type VerifyAnswer } from './observer-report.js';

const answerSchema = z.object({ answer: z.looseObject({ ok: z.boolean(), error: z.string().optional() }) });

export interface GuestQuestion {
  readonly observerSocket: string;
  readonly vmid: number;
  /** How long the guest may stay silent, e.g. because it migrates; default 30 s. */
  readonly timeoutMs?: number;
}

/** The state of the witness in a guest, told by itself. @throws KedgeError as `askGuest` */
export async function askGuestStatus(question: GuestQuestion): Promise<GuestStatus> {
  return guestStatusSchema.parse(await askGuest(question, 'status'));
}

/** Makes a guest check its whole working set now. @throws KedgeError as `askGuest` */
export async function askGuestVerify(question: GuestQuestion): Promise<VerifyAnswer> {
  return verifyAnswerSchema.parse(await askGuest(question, 'verify'));
}

/**
 * Sends a command to the witness in a guest through the observer, so that nobody has to enter the guests' network. The observer
 * repeats it until the guest answers, the guest does it once.
 * Commands: `status`, `verify`, `corrupt memory`, `set dirty-rate <bytes/s>`, `reboot`, `poweroff`.
 * @throws KedgeError `not-found` for a guest that never ticked, `lab-failed` when it stays silent or refuses
 */
export async function askGuest({ observerSocket, vmid, timeoutMs = 30_000 }: GuestQuestion, command: string): Promise<unknown> {
  const answer = await askObserver(observerSocket, { op: 'ask', vmid, command, timeoutMs }, { timeoutMs: timeoutMs + 5_000 });
  const parsed = answerSchema.parse(answer).answer;
  if (parsed.ok) return parsed;
  throw new KedgeError('lab-failed', `Cannot make guest ${vmid} obey "${command}": ${parsed.error ?? 'it gave no reason'}`, { details: { vmid } });
}
