/** Readings of incoming copies that are under way, by the token of the copy: one at a time each, and none of a copy that is discarded. */
export class CopyReadings {
  readonly #running = new Map<string, AbortController>();

  /** Runs `read` until it is done, or until its signal says that a newer reading has begun or the copy goes. */
  async during<Result>(token: string, read: (ended: AbortSignal) => Promise<Result>): Promise<Result> {
    this.end(token);
    const running = new AbortController();
    this.#running.set(token, running);
    try {
      return await read(running.signal);
    } finally {
      if (this.#running.get(token) === running) this.#running.delete(token);
    }
  }

  end(token: string): void {
    this.#running.get(token)?.abort();
    this.#running.delete(token);
  }
}
