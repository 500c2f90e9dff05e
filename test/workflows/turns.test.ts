import { setImmediate as turnOfLoop } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { Turns } from '../../workflows/turns.js';

/** Tasks that end when they are told to, and what has begun. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, { resolve: () => void; reject: (error: Error) => void }>();
  const task = (name: string) => () => {
    begun.push(name);
    return new Promise<void>((resolve, reject) => void ends.set(name, { resolve, reject }));
  };
  const end = async (name: string, error?: Error): Promise<void> => {
    if (error === undefined) ends.get(name)?.resolve();
    else ends.get(name)?.reject(error);
    await turnOfLoop();
  };
  return { begun, task, end };
}

async function beginAll(turns: Turns, list: readonly (readonly [string | undefined, () => Promise<void>])[]): Promise<void> {
  for (const [turn, task] of list) await turns.begin(turn, task);
  await turns.end();
}

describe('turns', () => {
  test('run tasks of one turn together, as many as may at once, and the next turn after them', async () => {
    const { begun, task, end } = tasks();
    const all = beginAll(new Turns(2), [
      ['1', task('a')],
      ['1', task('b')],
      ['1', task('c')],
      ['2', task('d')],
    ]);
    await turnOfLoop();
    expect(begun).toEqual(['a', 'b']);
    await end('b');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('c');
    expect(begun).toEqual(['a', 'b', 'c']);
    await end('a');
    expect(begun).toEqual(['a', 'b', 'c', 'd']);
    await end('d');
    await all;
  });

  test('run a task without a turn alone', async () => {
    const { begun, task, end } = tasks();
    const all = beginAll(new Turns(4), [
      ['1', task('a')],
      [undefined, task('b')],
      [undefined, task('c')],
      ['1', task('d')],
    ]);
    for (const [index, name] of ['a', 'b', 'c', 'd'].entries()) {
      await turnOfLoop();
      expect(begun).toHaveLength(index + 1);
      await end(name);
    }
    await all;
  });

  test('begin nothing after a failure, and tell it when all that has begun has ended', async () => {
    const { begun, task, end } = tasks();
    let said: unknown = null;
    const all = beginAll(new Turns(2), [
      ['1', task('a')],
      ['1', task('b')],
      ['1', task('c')],
    ]).catch((error: unknown) => {
      said = error;
    });
    await turnOfLoop();
    await end('a', new Error('broken'));
    expect([begun, said]).toEqual([['a', 'b'], null]);
    await end('b');
    await all;
    expect([begun, said]).toEqual([['a', 'b'], new Error('broken')]);
  });
});
