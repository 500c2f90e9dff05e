import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { rsyncGrantFolder } from '../../../../src/config/paths.js';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { QCOW2, RAW, startOfflineNodes, type OfflineNodes } from '../../../support/offline-nodes.js';
import { VMID } from '../../../support/two-nodes.js';

let nodes: OfflineNodes;
beforeEach(async () => {
  nodes = await startOfflineNodes();
});
afterEach(async () => {
  await nodes.close();
});

const allocated = (file: string): number => statSync(file).blocks * 512;

function compare(volume: string): void {
  execFileSync('qemu-img', ['compare', '-s', '-U', nodes.file('source', volume), nodes.file('target', volume)]);
  expect(readFileSync(nodes.file('target', volume)).equals(readFileSync(nodes.file('source', volume)))).toBe(true);
}

async function upToFinalPass(): Promise<void> {
  await nodes.claim();
  await nodes.prepare();
  await nodes.copy(false);
  await nodes.shutDown();
  await nodes.copy(true);
}

async function upToVerification(): Promise<void> {
  await upToFinalPass();
  await nodes.verify();
}

/** Changes one byte of a copy that nobody has looked at yet. */
function damage(volume: string): void {
  const incoming = nodes.file('target', volume).replace(/\/([^/]+)$/, `/.incoming-${VMID}-2-$1`);
  const content = readFileSync(incoming);
  content[content.length - 1] = (content.at(-1) ?? 0) ^ 1;
  writeFileSync(incoming, content);
}

describe('a guest that is off', () => {
  test('moves with its disks, sparse and with their snapshots, and leaves nothing at its source', async () => {
    const config = await nodes.source.guestConfigs.read(VMID);
    await upToVerification();
    for (const volume of [RAW, QCOW2]) {
      compare(volume);
      // Zeroes in the tables of a qcow2 become holes.
      expect(allocated(nodes.file('target', volume))).toBeLessThanOrEqual(allocated(nodes.file('source', volume)));
      expect(allocated(nodes.file('target', volume))).toBeGreaterThan(allocated(nodes.file('source', volume)) - 512 * 1024);
    }
    expect(execFileSync('qemu-img', ['snapshot', '-l', nodes.file('target', QCOW2)]).toString()).toContain('before');
    await nodes.handOver();
    await nodes.startMoved();
    await nodes.release();
    expect([await nodes.state('source'), await nodes.state('target')]).toEqual(['released', 'owned']);
    expect(await nodes.target.guestConfigs.read(VMID)).toBe(config);
    expect([RAW, QCOW2].map((volume) => existsSync(nodes.file('source', volume)))).toEqual([false, false]);
    expect(await nodes.source.guestConfigs.list()).toEqual([]);
    expect(nodes.leftOnTarget().filter((name) => /volumes\.json|incoming|^[0-9a-f]{32}/.test(name))).toEqual([]);
  });

  test('keeps the disks of its source where it was asked to', async () => {
    await upToVerification();
    await nodes.handOver();
    await nodes.release({ keep: true });
    for (const volume of [RAW, QCOW2]) compare(volume);
  });

  test('moves when every step is done twice', async () => {
    for (const each of [() => nodes.claim(), () => nodes.prepare(), () => nodes.copy(false), () => nodes.shutDown(), () => nodes.copy(true)]) {
      await each();
      await each();
    }
    for (const each of [() => nodes.verify(), () => nodes.handOver(), () => nodes.startMoved()]) {
      await each();
      await each();
    }
    for (const volume of [RAW, QCOW2]) compare(volume);
    await nodes.release();
    await nodes.release();
    expect([await nodes.state('source'), await nodes.state('target')]).toEqual(['released', 'owned']);
  });

  test('does not lose what was copied when its target is prepared again', async () => {
    await nodes.claim();
    const first = await nodes.prepare();
    const whole = await nodes.copy(false);
    expect(await nodes.prepare()).toEqual(first);
    expect((await nodes.copy(false)).bytesSent).toBeLessThan(whole.bytesSent / 10);
  });

  test('is named anew where its names are taken, and what had them is left alone', async () => {
    const taken = nodes.file('target', RAW);
    execFileSync('mkdir', ['-p', taken.replace(/\/[^/]+$/, '')]);
    writeFileSync(taken, 'of somebody else');
    const config = await nodes.source.guestConfigs.read(VMID);
    await upToVerification();
    await nodes.handOver();
    const moved = `local:${VMID}/vm-${VMID}-disk-1.raw`;
    expect(await nodes.target.guestConfigs.read(VMID)).toBe(config.replaceAll(RAW, moved));
    expect(readFileSync(nodes.file('target', moved)).equals(readFileSync(nodes.file('source', RAW)))).toBe(true);
    expect(readFileSync(taken, 'utf8')).toBe('of somebody else');
  });
});

describe('a copy', () => {
  test('goes on from the bytes that are there when the target has rebooted in the middle', async () => {
    await nodes.claim();
    await nodes.prepare();
    const whole = await nodes.copy(false);
    rmSync(rsyncGrantFolder(nodes.target.paths), { recursive: true });
    await nodes.restart('target', { rebooted: true });
    await nodes.shutDown();
    expect((await nodes.copy(true)).bytesSent).toBeLessThan(whole.bytesSent / 10);
    await nodes.verify();
    await nodes.handOver();
    expect(await nodes.state('target')).toBe('owned');
  });

  test('that was damaged is found, not published, and mended by another pass, while one that was equal stays as it is', async () => {
    await upToFinalPass();
    damage(QCOW2);
    await expect(nodes.verify()).rejects.toMatchObject({ code: 'copy-differs', details: { volume: QCOW2 } });
    expect([RAW, QCOW2].map((volume) => existsSync(nodes.file('target', volume)))).toEqual([true, false]);
    await expect(nodes.handOver()).rejects.toMatchObject({ code: 'rolled-back' });
    const { ino } = statSync(nodes.file('target', RAW));
    await nodes.copy(true);
    await nodes.verify();
    for (const volume of [RAW, QCOW2]) compare(volume);
    expect(statSync(nodes.file('target', RAW)).ino).toBe(ino);
    await nodes.handOver();
    expect(await nodes.state('target')).toBe('owned');
  });

  test('that differs again is given up, and the source has everything', async () => {
    await upToFinalPass();
    damage(RAW);
    await expect(nodes.verify()).rejects.toMatchObject({ code: 'copy-differs' });
    await nodes.giveBack();
    await nodes.revoke();
    expect([await nodes.state('source'), nodes.leftOnTarget()]).toEqual(['owned', []]);
  });

  test('is published, armed and owned once, whatever answers are lost', async () => {
    await upToFinalPass();
    nodes.cuts.set('publish', 'lost-reply');
    await expect(nodes.verify()).rejects.toMatchObject({ code: 'peer-unreachable' });
    nodes.cuts.clear();
    await nodes.copy(true);
    await nodes.verify();
    for (const op of ['arm', 'go'] as const) {
      nodes.cuts.set(op, 'lost-reply');
      await expect(nodes.handOver()).rejects.toMatchObject({ code: 'peer-unreachable' });
      nodes.cuts.clear();
    }
    expect([await nodes.state('source'), await nodes.state('target')]).toEqual(['released', 'owned']);
    await nodes.handOver();
    await expect(nodes.giveBack()).rejects.toMatchObject({ code: 'cancel-refused' });
    await expect(nodes.revoke()).rejects.toMatchObject({ code: 'peer-refused' });
    for (const volume of [RAW, QCOW2]) compare(volume);
  });

  test.for(['before', 'between', 'after'] as const)('whose publishing was cut off %s its new name is published by the next call', async (where) => {
    await upToFinalPass();
    await cutPublishing(where);
    await nodes.copy(true);
    await nodes.verify();
    for (const volume of [RAW, QCOW2]) compare(volume);
  });

  test.for(['before', 'between', 'after'] as const)('whose publishing was cut off %s its new name is removed by a roll-back', async (where) => {
    await upToFinalPass();
    await cutPublishing(where);
    await nodes.giveBack();
    await nodes.revoke();
    expect(nodes.leftOnTarget()).toEqual([]);
  });

  /** What a worker that dies while it publishes the raw disk leaves: under the old name, under both, under the new one. */
  async function cutPublishing(where: 'before' | 'between' | 'after'): Promise<void> {
    const entry = await nodes.target.volumes.read(VMID);
    if (entry === null) throw new Error('Cannot find the journal of the copy');
    const volumes = entry.volumes.map((copy) => (copy.to === RAW ? { ...copy, state: 'publishing' as const } : copy));
    await nodes.target.volumes.write(VMID, { ...entry, volumes });
    const final = nodes.file('target', RAW);
    const temporary = final.replace(/\/([^/]+)$/, `/.incoming-${VMID}-2-$1`);
    if (where !== 'before') execFileSync('ln', [temporary, final]);
    if (where === 'after') rmSync(temporary);
  }
});

describe('a revocation', () => {
  const steps: readonly (readonly [string, () => Promise<unknown>])[] = [
    ['the preparation', () => nodes.prepare()],
    ['a pass', () => nodes.copy(false)],
    ['the shutdown', () => nodes.shutDown()],
    ['the last pass', () => nodes.copy(true)],
    ['the verification', () => nodes.verify()],
    ['armed', () => armOnly()],
  ];
  test.for(['the claim', ...steps.map(([name]) => name)])('after %s leaves the source as it was, and nothing on the target, for good', async (last) => {
    await nodes.claim();
    for (const [, step] of steps.slice(0, steps.findIndex(([name]) => name === last) + 1)) await step();
    await nodes.giveBack();
    await nodes.revoke();
    await nodes.revoke();
    await nodes.giveBack();
    expect([await nodes.state('source'), await nodes.state('target'), nodes.leftOnTarget()]).toEqual(['owned', 'revoked', []]);
    await expect(nodes.prepare()).rejects.toMatchObject({ code: 'already-exists' });
    expect(nodes.leftOnTarget()).toEqual([]);
    expect([RAW, QCOW2].map((volume) => existsSync(nodes.file('source', volume)))).toEqual([true, true]);
  });

  async function armOnly(): Promise<void> {
    nodes.cuts.set('arm', 'lost-reply');
    await expect(nodes.handOver()).rejects.toMatchObject({ code: 'peer-unreachable' });
    nodes.cuts.clear();
    expect(await nodes.state('target')).toBe('armed');
  }
});
