import type { Vmid } from '../../../src/domain/ids.js';

/**
 * One lock per guest, held from the look at its record to QEMU's answer by everything that arms, goes, revokes, starts,
 * resumes or kills it.
 *
 * Why an in-process lock is enough: only the one node worker of a node acts on guests, and it holds the flock of
 * `node.lock` for its whole life (decision 0004). When the worker is killed, a command that it already sent may still sit in
 * the control socket: the next worker acts only after the greeting on that socket, and QEMU greets a new client only when the
 * old connection, with everything sent on it, has been dealt with.
 */
export class GuestLocks {
  readonly #tails = new Map<Vmid, Promise<void>>();

  /** Runs `work` alone among all holders of this guest's lock, in order of arrival. */
  async withLock<Result>(vmid: Vmid, work: () => Promise<Result>): Promise<Result> {
    const before = this.#tails.get(vmid) ?? Promise.resolve();
    let unlock = (): void => undefined;
    const mine = new Promise<void>((resolve) => {
      unlock = resolve;
    });
    const tail = before.then(() => mine);
    this.#tails.set(vmid, tail);
    await before;
    try {
      return await work();
    } finally {
      unlock();
      if (this.#tails.get(vmid) === tail) this.#tails.delete(vmid);
    }
  }
}
