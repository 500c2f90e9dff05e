import { expect, test } from 'vitest';
import { keepingLast } from '../../../src/config/keeping-last.js';

test('a value that can not be read is as it was read last, and that is told', async () => {
  const answers: (() => Promise<number>)[] = [() => Promise.reject(new Error('broken')), () => Promise.resolve(2), () => Promise.reject(new Error('again'))];
  const told: string[] = [];
  const read = keepingLast(() => answers.shift()?.() ?? Promise.resolve(3), { first: 1, onFailure: (error) => told.push(String(error)) });
  expect([await read(), await read(), await read(), await read()]).toEqual([1, 2, 2, 3]);
  expect(told).toEqual(['Error: broken', 'Error: again']);
});
