import { mkdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepRef } from '../../../activities/interface.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';
import { sealJson } from '../../../src/drivers/host/sealed-json.js';
import { compareOrder, parseOrder, type StepOrder } from './step-order.js';

/**
 * The right to act on one guest for one attempt of one step.
 *
 * Two attempts of an activity can run at once: Temporal starts attempt 2 after a heartbeat timeout while attempt 1 may only
 * have been slow. Each attempt claims the guest; a newer claim fences the older one, whose next effect is refused.
 */
export interface StepClaim {
  readonly step: StepRef;
  readonly attempt: number;
  /** Aborted when a newer attempt or step takes over. */
  readonly fenced: AbortSignal;
  /** To be called before every effect. @throws KedgeError `stale-claim` once a newer claim exists. */
  assertCurrent(): void;
}

/** Claims of steps, durable: a restarted worker still refuses an attempt that is older than one it has seen. */
export class StepJournal {
  readonly #folder: string;
  readonly #current = new Map<Vmid, { order: StepOrder; fence: AbortController }>();

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /**
   * Claims the guest of `step` for one attempt. Order: (generation, sequence, attempt); Temporal restarts `attempt` at 1 for
   * each activity, so that it alone orders nothing.
   * @throws KedgeError `stale-claim` when a newer step or attempt has been seen
   */
  async claim(step: StepRef, attempt: number): Promise<StepClaim> {
    const order: StepOrder = { generation: step.generation, sequence: step.sequence, attempt };
    const seen = this.#current.get(step.vmid)?.order ?? (await this.#read(step.vmid));
    // Numbered race: (1) attempt 1 stalls, (2) attempt 2 claims and finishes, (3) attempt 1 wakes up and claims: refused here.
    if (seen !== null && compareOrder(order, seen) < 0) throw staleClaim(order, seen);
    await crashPoint('node.step-claim', () => writeDurably(this.#file(step.vmid), sealJson(order)));
    // Another claim may have come in between during the write: the newer one wins, whatever the order of arrival.
    const latest = this.#current.get(step.vmid);
    if (latest !== undefined && compareOrder(order, latest.order) < 0) throw staleClaim(order, latest.order);
    latest?.fence.abort(staleClaim(latest.order, order));
    const fence = new AbortController();
    this.#current.set(step.vmid, { order, fence });
    return { step, attempt, fenced: fence.signal, assertCurrent: () => fence.signal.throwIfAborted() };
  }

  /** Forgets a guest that has left this node; its record's generation then orders later claims. */
  async forget(vmid: Vmid): Promise<void> {
    this.#current.delete(vmid);
    await crashPoint('node.step-claim-end', () => removeDurably(this.#file(vmid)));
  }

  /** The newest claim of a guest; null when there is none that can be read. */
  async seen(vmid: Vmid): Promise<{ readonly generation: number; readonly text: string } | null> {
    const order = this.#current.get(vmid)?.order ?? (await this.#read(vmid));
    return order === null ? null : { generation: order.generation, text: print(order) };
  }

  async #read(vmid: Vmid): Promise<StepOrder | null> {
    let text: string;
    try {
      text = await readFile(this.#file(vmid), 'utf8');
    } catch {
      return null;
    }
    return parseOrder(text);
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.claim.json`);
  }
}

function staleClaim(order: StepOrder, newer: StepOrder): KedgeError {
  return new KedgeError('stale-claim', `Cannot act as step ${print(order)}: step ${print(newer)} has taken over`);
}

function print(order: StepOrder): string {
  return `${order.generation}.${order.sequence}.${order.attempt}`;
}
