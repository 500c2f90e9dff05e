/**
 * A small generator of chance that is the same on every machine: mulberry32 (public domain, Tommy Ettinger), 32 bits of state, period 2^32.
 * Good enough to choose faults; for nothing that must be secret.
 */
export class Random {
  #state: number;

  /** The same numbers always give the same sequence; each round has a stream of its own, so that one can be replayed alone. */
  constructor(...numbers: readonly number[]) {
    // Each number is mixed in, so that neighbouring seeds and rounds have nothing in common.
    this.#state = 0;
    for (const number of numbers) {
      this.#state = (this.#state ^ Math.imul(number | 0, 0x9e3779b1)) >>> 0;
      this.#step();
    }
  }

  /** From 0 (included) to 1 (excluded). */
  next(): number {
    return this.#step() / 2 ** 32;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor(this.next() * (most - least + 1));
  }

  /** One of them, each as likely. @throws RangeError for an empty list */
  pick<Value>(values: readonly Value[]): Value {
    const value = values[this.between(0, values.length - 1)];
    if (value === undefined) throw new RangeError('Cannot pick from nothing');
    return value;
  }

  /** One of them, as likely as its weight says. @throws RangeError when nothing has a weight */
  weighted<Value>(choices: readonly { readonly weight: number; readonly value: Value }[]): Value {
    let rest = this.next() * choices.reduce((sum, { weight }) => sum + weight, 0);
    for (const { weight, value } of choices) {
      rest -= weight;
      if (rest < 0) return value;
    }
    throw new RangeError('Cannot choose: nothing has a weight');
  }

  /** All of them in another order (Fisher and Yates). */
  shuffled<Value>(values: readonly Value[]): readonly Value[] {
    const order = [...values];
    for (let last = order.length - 1; last > 0; last -= 1) {
      const other = this.between(0, last);
      const [one, two] = [order[last], order[other]];
      if (one !== undefined && two !== undefined) [order[last], order[other]] = [two, one];
    }
    return order;
  }

  #step(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (mixed ^ (mixed >>> 14)) >>> 0;
  }
}
