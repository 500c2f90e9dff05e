import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFileSync, closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compareManifests } from '../../../../src/drivers/storage/compare-manifests.js';
import { makeImageManifest } from '../../../../src/drivers/storage/image-manifest.js';

const MIB = 1_048_576;
const BLOCK = 4 * MIB;

let folder: string;
let image: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-manifest-'));
  image = join(folder, 'image.raw');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Random data of `count` MiB at MiB `at` of an image of `size` bytes, holes elsewhere. */
function makeImage(size: number, data: readonly { readonly count: number; readonly at: number }[]): void {
  writeFileSync(image, '');
  truncateSync(image, size);
  for (const { count, at } of data) {
    execFileSync('dd', ['if=/dev/urandom', `of=${image}`, 'bs=1M', `count=${count}`, `seek=${at}`, 'conv=notrunc', 'status=none']);
  }
}

function poke(at: number, byte: number): void {
  const file = openSync(image, 'r+');
  writeSync(file, Buffer.from([byte]), 0, 1, at);
  closeSync(file);
}

/** Time that the thread of the event loop has spent computing; proc(5), in ticks of 10 ms. */
function mainThreadMs(): number {
  const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

describe('the manifest of an image', () => {
  it('has the sha256 of each block of 4 MiB, of the short last one too', async () => {
    makeImage(3 * BLOCK + 777, [{ count: 1, at: 5 }]);
    appendFileSync(image, 'end');
    const bytes = readFileSync(image);
    const digests = [0, 1, 2, 3].map((index) =>
      createHash('sha256')
        .update(bytes.subarray(index * BLOCK, (index + 1) * BLOCK))
        .digest(),
    );
    const manifest = await makeImageManifest(image);
    expect(manifest.digests).toBe(Buffer.concat(digests).toString('base64'));
    expect(manifest).toMatchObject({ sizeBytes: 3 * BLOCK + 780, blockBytes: BLOCK });
    expect(manifest.root).toBe(createHash('sha256').update(`${bytes.length}\n`).update(Buffer.concat(digests)).digest('hex'));
  });

  it('takes holes for the zeroes that they read as, and tells how much is allocated', async () => {
    makeImage(10 * BLOCK, [{ count: 2, at: 9 }]);
    const sparse = await makeImageManifest(image);
    execFileSync('cp', ['--sparse=never', image, `${image}.full`]);
    const full = await makeImageManifest(`${image}.full`);
    expect(full.root).toBe(sparse.root);
    expect(compareManifests(sparse, full)).toEqual({ kind: 'equal' });
    expect(sparse.allocatedBytes).toBeLessThan(3 * MIB);
    expect(full.allocatedBytes).toBeGreaterThanOrEqual(10 * BLOCK);
  });

  it('shows a single changed byte, wherever it is: in data, in a hole, at the very end', async () => {
    makeImage(5 * BLOCK + 10, [{ count: 4, at: 4 }]);
    const before = await makeImageManifest(image);
    for (const [at, block] of [
      [BLOCK + 99, 1],
      [3 * BLOCK, 3],
      [5 * BLOCK + 9, 5],
    ] as const) {
      const [old = 0] = readFileSync(image).subarray(at);
      poke(at, old ^ 1);
      expect(compareManifests(before, await makeImageManifest(image))).toEqual({ kind: 'content', blockBytes: BLOCK, blocks: [block] });
      poke(at, old);
    }
    expect(compareManifests(before, await makeImageManifest(image))).toEqual({ kind: 'equal' });
  });

  it('of an empty file and of an image smaller than a block is one as well', async () => {
    makeImage(0, []);
    expect(await makeImageManifest(image)).toMatchObject({ sizeBytes: 0, digests: '' });
    writeFileSync(image, 'small');
    expect((await makeImageManifest(image)).digests).toBe(createHash('sha256').update('small').digest('base64'));
  });

  it('reads a qcow2 file as bytes, while a guest has it open', async () => {
    execFileSync('qemu-img', ['create', '-q', '-f', 'qcow2', image, '16M']);
    const holder = openSync(image, 'r+');
    const manifest = await makeImageManifest(image);
    closeSync(holder);
    expect(manifest.sizeBytes).toBe(readFileSync(image).length);
  });

  it('is refused when the image was written to in the meantime', async () => {
    makeImage(8 * BLOCK, [{ count: 32, at: 0 }]);
    const writing = makeImageManifest(image, { onProgress: ({ bytes }) => bytes === 2 * BLOCK && poke(0, 7) });
    await expect(writing).rejects.toMatchObject({ code: 'guest-state' });
    const shrinking = makeImageManifest(image, { onProgress: ({ bytes }) => bytes === 2 * BLOCK && truncateSync(image, 3 * BLOCK) });
    await expect(shrinking).rejects.toMatchObject({ code: 'guest-state' });
  });

  it('can be cancelled, before and in the middle', async () => {
    makeImage(8 * BLOCK, [{ count: 32, at: 0 }]);
    await expect(makeImageManifest(image, { signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    const controller = new AbortController();
    const seen: number[] = [];
    const cancelled = makeImageManifest(image, {
      signal: controller.signal,
      onProgress: ({ bytes }) => {
        seen.push(bytes);
        controller.abort();
      },
    });
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    expect(seen).toEqual([BLOCK]);
  });

  it('of a file that is not there says so', async () => {
    await expect(makeImageManifest(image)).rejects.toMatchObject({ code: 'not-found' });
  });

  it('passes over holes: 200 GiB of them take about no time, and little memory', async () => {
    makeImage(200 * 1024 * MIB, [{ count: 16, at: 100 * 1024 }]);
    const manifest = await makeImageManifest(image);
    expect(manifest.sizeBytes).toBe(200 * 1024 * MIB);
    // sha256 of every block, 51,200 of them, 4 of which hold data.
    const digests = Buffer.from(manifest.digests, 'base64').toString('hex').match(/.{64}/g);
    expect(digests).toHaveLength(51_200);
    expect(new Set(digests).size).toBe(5);
  });

  it('needs no more memory for a larger image, and leaves the event loop to others', async () => {
    makeImage(512 * MIB, [{ count: 512, at: 0 }]);
    const start = process.memoryUsage().rss;
    let peak = start;
    const sampling = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().rss);
    }, 5);
    const before = { main: mainThreadMs(), all: process.cpuUsage() };
    await makeImageManifest(image);
    const { user, system } = process.cpuUsage(before.all);
    const main = mainThreadMs() - before.main;
    clearInterval(sampling);
    expect(peak - start).toBeLessThan(96 * MIB);
    expect(main / ((user + system) / 1_000)).toBeLessThan(0.6);
  });
});
