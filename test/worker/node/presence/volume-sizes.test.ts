import { expect, test } from 'vitest';
import { VolumeSizes } from '../../../../worker/node/presence/volume-sizes.js';

test('a size is unknown until it was looked at, in the background, and then kept for minutes', async () => {
  let nowMs = 0;
  let looks = 0;
  const sizes = new VolumeSizes(() => nowMs);
  const look = (): Promise<number> => Promise.resolve((looks += 1));
  expect([sizes.of('local:101/a', look), sizes.of('local:101/a', look)]).toEqual([null, null]);
  await sizes.settled();
  nowMs = 299_000;
  expect(sizes.of('local:101/a', look)).toBe(1);
  await sizes.settled();
  nowMs = 301_000;
  expect(sizes.of('local:101/a', look)).toBe(1);
  await sizes.settled();
  expect([sizes.of('local:101/a', look), looks]).toEqual([2, 2]);
});

test('a volume that can not be looked at is tried again soon, and keeps no other from being looked at', async () => {
  let nowMs = 0;
  const sizes = new VolumeSizes(() => nowMs);
  const fails = (): Promise<number> => Promise.reject(new Error('not there yet'));
  sizes.of('local:101/a', fails);
  sizes.of('local:102/b', () => Promise.resolve(7));
  await sizes.settled();
  expect([sizes.of('local:101/a', fails), sizes.of('local:102/b', fails)]).toEqual([null, 7]);
  nowMs = 10_000;
  sizes.of('local:101/a', () => Promise.resolve(5));
  await sizes.settled();
  expect(sizes.of('local:101/a', fails)).toBe(5);
});

test('one volume is looked at at a time', async () => {
  const sizes = new VolumeSizes(() => 0);
  let busy = 0;
  let most = 0;
  const look = async (): Promise<number> => {
    most = Math.max(most, (busy += 1));
    await Promise.resolve();
    busy -= 1;
    return 1;
  };
  for (const name of ['a', 'b', 'c']) sizes.of(name, look);
  await sizes.settled();
  expect(most).toBe(1);
});
