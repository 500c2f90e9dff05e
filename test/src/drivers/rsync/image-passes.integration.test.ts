import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, openSync, readSync, statSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Random } from '../../../../lab/random.js';
import { clearsTrailingGap } from '../../../../src/drivers/rsync/clears-trailing-gap.js';
import { probeRsync } from '../../../../src/drivers/rsync/probe-rsync.js';
import { MIB, type RsyncLab, startRsyncLab } from './rsync-lab.js';

/*
 * What the passes over an image make of whatever a guest does between them. Told `--inplace --sparse`, an rsync before 3.3.0 leaves what the
 * target's file ended with where the image has come to end in zeroes: "Fixed a bug with --sparse --inplace where a trailing gap in the source
 * file would not clear out the trailing data in the destination file" (NEWS of 3.3.0). There the comparison after the last pass must find it,
 * and the pass after that, which writes zeroes, must be right.
 */
const ROUNDS = 6;
const PASSES = 4;
const MOST_BYTES = 6 * MIB;

let lab: RsyncLab;
let clearsGap: boolean;
beforeAll(async () => {
  lab = await startRsyncLab();
  clearsGap = clearsTrailingGap((await probeRsync()).version);
});
afterAll(() => lab.remove());

const allocated = (path: string): number => statSync(path).blocks * 512;

/** Puts bytes into the image as a guest does; none: digs a hole. */
function change(at: number, bytes: Buffer | number): void {
  if (typeof bytes === 'number') {
    execFileSync('fallocate', ['--punch-hole', '--offset', String(at), '--length', String(bytes), lab.image]);
    return;
  }
  const file = openSync(lab.image, 'r+');
  writeSync(file, bytes, 0, bytes.length, at);
  closeSync(file);
}

function read(at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  const file = openSync(lab.image, 'r');
  readSync(file, bytes, 0, length, at);
  closeSync(file);
  return bytes;
}

/** One thing that a guest, its virtual disk or a resize does; offsets and lengths have nothing to do with rsync's blocks. */
function scribbleOnce(random: Random): void {
  const { size } = statSync(lab.image);
  const at = random.between(0, size - 1);
  const length = random.between(1, Math.min(size - at, 2 * MIB));
  switch (random.pick(['write', 'write', 'zeroes', 'hole', 'move', 'end in a hole', 'end in zeroes', 'resize'] as const)) {
    case 'write':
      return change(at, randomBytes(length));
    case 'zeroes':
      return change(at, Buffer.alloc(length));
    case 'hole':
      return change(at, length);
    // Blocks that rsync finds again at another place.
    case 'move':
      return change(random.between(0, size - length), read(at, length));
    case 'end in a hole':
      return change(at, size - at);
    case 'end in zeroes':
      return change(at, Buffer.alloc(size - at));
    case 'resize':
      return truncateSync(lab.image, random.between(MIB, MOST_BYTES));
  }
}

it.each(Array.from({ length: ROUNDS }, (_, round) => round + 1))('image %i, rewritten between the passes, is equal in the end', async (round) => {
  const random = new Random(round);
  writeFileSync(lab.image, '');
  truncateSync(lab.image, random.between(MIB, MOST_BYTES));
  const name = `disk-${round}`;
  const target = await lab.grant(name, 'file');
  for (let pass = 1; pass <= PASSES; pass += 1) {
    for (let changes = random.between(1, 5); changes > 0; changes -= 1) scribbleOnce(random);
    await lab.copy({ target, targetIsEmpty: pass === 1, final: pass === PASSES });
  }
  if (!lab.same(name)) {
    expect(clearsGap).toBe(false);
    await lab.copy({ target, final: true, writeZeroes: true });
    expect(lab.same(name)).toBe(true);
  } else if (clearsGap) expect(allocated(join(lab.storage, name))).toBeLessThanOrEqual(allocated(lab.image) + MIB);
});

it('an image that has come to end in a hole is not equal at once where rsync forgets that, and is after the pass that writes zeroes', async () => {
  writeFileSync(lab.image, randomBytes(2 * MIB));
  const target = await lab.grant('gap', 'file');
  await lab.copy({ target, targetIsEmpty: true });
  change(MIB, MIB);
  await lab.copy({ target, final: true });
  expect(lab.same('gap')).toBe(clearsGap);
  await lab.copy({ target, final: true, writeZeroes: !clearsGap });
  expect(lab.same('gap')).toBe(true);
});
