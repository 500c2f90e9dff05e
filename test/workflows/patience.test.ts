import { describe, expect, test } from 'vitest';
import { Patience, type Timers } from '../../workflows/patience.js';

/** Time that goes on by hand, and counts the timers that were started. */
class HandDrivenTimers implements Timers {
  started = 0;
  #nowMs = 1_000;
  readonly #pending: { readonly atMs: number; readonly fire: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  sleep(milliseconds: number): Promise<void> {
    this.started += 1;
    return new Promise((resolve) => this.#pending.push({ atMs: this.#nowMs + milliseconds, fire: resolve }));
  }

  /** Fires what is due on the way, each at its time, and lets everything that follows from it happen. */
  async pass(milliseconds: number): Promise<void> {
    const untilMs = this.#nowMs + milliseconds;
    for (;;) {
      const next = this.#pending.filter(({ atMs }) => atMs <= untilMs).sort((one, other) => one.atMs - other.atMs)[0];
      if (next === undefined) break;
      this.#pending.splice(this.#pending.indexOf(next), 1);
      this.#nowMs = next.atMs;
      next.fire();
      await new Promise(setImmediate);
    }
    this.#nowMs = untilMs;
  }
}

/** Work that ends when told. */
function openWork(): { readonly work: Promise<string>; readonly finish: () => void } {
  let finish = (): void => undefined;
  const work = new Promise<string>((resolve) => {
    finish = () => resolve('done');
  });
  return { work, finish };
}

function setUp(): { timers: HandDrivenTimers; patience: Patience } {
  const timers = new HandDrivenTimers();
  return { timers, patience: new Patience({ sharesTimer: true }, timers) };
}

/** What has become of a wait so far. */
async function stateOf(wait: Promise<string | null>): Promise<string | null> {
  return Promise.race([wait, new Promise<string>((resolve) => setImmediate(() => resolve('waiting')))]);
}

describe('Patience', () => {
  test('answers what the work answers when it ends in time', async () => {
    const { patience } = setUp();
    const { work, finish } = openWork();
    const wait = patience.within(work, 100);
    finish();
    await expect(wait).resolves.toBe('done');
  });

  test('answers null when the time is up first', async () => {
    const { timers, patience } = setUp();
    const wait = patience.within(openWork().work, 100);
    await timers.pass(99);
    expect(await stateOf(wait)).toBe('waiting');
    await timers.pass(1);
    expect(await stateOf(wait)).toBeNull();
  });

  test('passes the failure of the work on', async () => {
    const { patience } = setUp();
    await expect(patience.within(Promise.reject(new Error('no')), 100)).rejects.toThrow('no');
  });

  test('serves waits one after the other with one timer', async () => {
    const { timers, patience } = setUp();
    for (let turn = 0; turn < 5; turn += 1) {
      const { work, finish } = openWork();
      const wait = patience.within(work, 100);
      finish();
      await wait;
    }
    expect(timers.started).toBe(1);
  });

  test('gives a later wait its whole time, although the timer began before it', async () => {
    const { timers, patience } = setUp();
    const first = openWork();
    const before = patience.within(first.work, 100);
    await timers.pass(80);
    first.finish();
    await before;
    const wait = patience.within(openWork().work, 100);
    await timers.pass(99);
    expect(await stateOf(wait)).toBe('waiting');
    await timers.pass(1);
    expect(await stateOf(wait)).toBeNull();
    expect(timers.started).toBe(2);
  });

  test('lets a shorter wait end before a longer one that began earlier', async () => {
    const { timers, patience } = setUp();
    const long = patience.within(openWork().work, 100);
    const short = patience.within(openWork().work, 10);
    await timers.pass(10);
    expect(await stateOf(short)).toBeNull();
    expect(await stateOf(long)).toBe('waiting');
    await timers.pass(90);
    expect(await stateOf(long)).toBeNull();
  });
});
