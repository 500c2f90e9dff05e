import { expect, test } from 'vitest';
import { parseVmid } from '../../../../src/domain/ids.js';
import { ActiveCopies } from '../../../../worker/node/handover/active-copies.js';

const VMID = parseVmid(101);

test('a guest counts as being moved until the last of two attempts has ended, whichever ends first', async () => {
  const copies = new ActiveCopies();
  const ends: (() => void)[] = [];
  const attempt = (): Promise<void> => copies.during(VMID, () => new Promise((resolve) => ends.push(resolve)));
  const attempts = [attempt(), attempt()];
  ends[0]?.();
  await attempts[0];
  expect(copies.has(VMID)).toBe(true);
  ends[1]?.();
  await attempts[1];
  expect(copies.has(VMID)).toBe(false);
});

test('an attempt that fails no longer counts', async () => {
  const copies = new ActiveCopies();
  await expect(copies.during(VMID, () => Promise.reject(new Error('lost')))).rejects.toThrow('lost');
  expect(copies.has(VMID)).toBe(false);
});
