/**
 * Tasks in turns: those of one turn run at the same time, at most `atOnce`; those of the next one begin when all of them have ended.
 * Deterministic, as a workflow needs it: nothing but the order in which tasks end.
 */
export class Turns {
  readonly #atOnce: number;
  readonly #underWay = new Set<Promise<void>>();
  readonly #failures: unknown[] = [];
  #turn: string | undefined;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  /**
   * Begins a task when its turn has come, and answers when there is room for another one. `turn` undefined: it runs alone.
   * @throws what an earlier task has thrown, once none is under way; this one may not have begun then
   */
  async begin(turn: string | undefined, task: () => Promise<void>): Promise<void> {
    if (turn === undefined || turn !== this.#turn) await this.end();
    this.#turn = turn;
    const running: Promise<void> = task()
      .catch((error: unknown) => void this.#failures.push(error))
      .then(() => void this.#underWay.delete(running));
    this.#underWay.add(running);
    while (this.#underWay.size >= this.#atOnce || (turn === undefined && this.#underWay.size > 0)) await Promise.race(this.#underWay);
    if (this.#failures.length > 0) await this.end();
  }

  /** Waits for all that has begun. @throws what the first task to fail has thrown */
  async end(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#failures.length > 0) throw this.#failures[0];
  }
}
