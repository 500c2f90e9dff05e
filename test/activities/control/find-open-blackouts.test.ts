import { expect, test } from 'vitest';
import { findOpenBlackouts } from '../../../activities/control/find-open-blackouts.js';
import type { Blackout } from '../../../src/domain/window/blackout.js';

const always: Blackout = { name: 'always', zone: 'UTC', start: '2020-01-01T00:00', rule: 'FREQ=DAILY', durationMs: 86_400_000, nodes: null, guests: null };

test('blackouts are found that are on now, and read anew each time', async () => {
  let said: readonly Blackout[] = [];
  const cluster = { blackouts: () => Promise.resolve(said) };
  expect(await findOpenBlackouts(cluster)).toEqual([]);
  said = [always, { ...always, name: 'once', rule: null }];
  expect((await findOpenBlackouts(cluster)).map(({ name }) => name)).toEqual(['always']);
});
