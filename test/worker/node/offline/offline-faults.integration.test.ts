import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { killQemu } from '../../../../src/drivers/qemu/kill-qemu.js';
import { findGuestProcess } from '../../../../worker/node/guests/look-at-guest.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { recoverUntilSettled } from '../../../../worker/node/recovery/recover-guests.js';
import { running } from '../../../src/drivers/rsync/rsync-lab.js';
import { QCOW2, RAW, startOfflineNodes, type OfflineNodes } from '../../../support/offline-nodes.js';
import { VMID } from '../../../support/two-nodes.js';

const MIB = 2 ** 20;
/** One disk after the other would take ten seconds at this pace. */
const SLOW = { bandwidthLimit: MIB };
/** It boots nothing, so that it never obeys. */
const RUNS = { restart: true, shutdownTimeoutMs: 500 } as const;

let nodes: OfflineNodes;
afterEach(async () => {
  await nodes.close();
});

async function prepared(options: Parameters<typeof startOfflineNodes>[0] = {}): Promise<void> {
  nodes = await startOfflineNodes(options);
  await nodes.claim();
  await nodes.prepare();
}

async function assertUndone(): Promise<void> {
  await nodes.giveBack();
  await nodes.revoke();
  expect([await nodes.state('source'), nodes.leftOnTarget()]).toEqual(['owned', []]);
  expect([RAW, QCOW2].map((volume) => existsSync(nodes.file('source', volume)))).toEqual([true, true]);
}

const pidOf = (which: 'source' | 'target'): number | null => findGuestProcess(nodes[which], VMID)?.pid ?? null;

describe('a copy', () => {
  test('that fills the disk of the target, records and all, ends at once and is undone without help', async () => {
    await prepared({ targetDiskMiB: 6 });
    await expect(nodes.copy(false)).rejects.toMatchObject({ code: 'no-space' });
    await assertUndone();
  });

  test('whose source can not be read ends at once and names the reason', async () => {
    await prepared();
    renameSync(nodes.file('source', RAW), `${nodes.file('source', RAW)}.away`);
    await expect(nodes.copy(false)).rejects.toMatchObject({ code: 'copy-refused' });
    renameSync(`${nodes.file('source', RAW)}.away`, nodes.file('source', RAW));
    await assertUndone();
  });

  test('whose rsync is killed, on either side, is tried again', async () => {
    await prepared({ migration: SLOW });
    for (const side of ['source', 'target'] as const) {
      // Those of the copy before would be killed instead.
      await vi.waitFor(() => expect([...rsyncsAt('source'), ...rsyncsAt('target')]).toEqual([]), { timeout: 10_000 });
      const copying = nodes.copy(false).then(
        () => null,
        (error: unknown) => error,
      );
      for (const pid of await rsyncsOf(side)) process.kill(pid, 'SIGKILL');
      expect(await copying).toMatchObject({ code: expect.stringMatching(/^(?:copy-failed|peer-unreachable)$/), retryable: true });
    }
  });

  test('that ends with its worker is no cancel, and one that is cancelled is', async () => {
    await prepared({ migration: SLOW });
    for (const code of ['worker-stopping', 'cancelled'] as const) {
      const stop = new AbortController();
      const copying = nodes.copy(false, { signal: stop.signal }).catch((error: unknown) => error);
      await rsyncsOf('target');
      stop.abort(new KedgeError(code, 'The end'));
      expect(await copying).toMatchObject({ code });
    }
  });

  /** This test's rsyncs of one side: both name files below its root. */
  function rsyncsAt(side: 'source' | 'target'): readonly number[] {
    return running('rsync', side === 'source' ? '--rsh=' : '--server', dirname(dirname(nodes.source.paths.etc)));
  }

  /** As soon as there are some. */
  function rsyncsOf(side: 'source' | 'target'): Promise<readonly number[]> {
    return vi.waitFor(
      () => {
        const pids = rsyncsAt(side);
        if (pids.length === 0) throw new Error('Cannot find rsync');
        return pids;
      },
      { timeout: 10_000 },
    );
  }
});

describe('a target', () => {
  test('that has a config of the number which Kedge did not write is not touched, not by the roll-back either', async () => {
    nodes = await startOfflineNodes();
    await nodes.claim();
    await nodes.target.guestConfigs.write(VMID, 'qemu', 'name: foreign\n');
    await expect(nodes.prepare()).rejects.toMatchObject({ code: 'already-exists' });
    await nodes.revoke();
    await nodes.revoke();
    expect(await nodes.target.guestConfigs.read(VMID)).toBe('name: foreign\n');
  });

  test('whose volume has a name that says what it is, and is taken, is not prepared', async () => {
    nodes = await startOfflineNodes({
      config: `name: test\nmemory: 64\nvirtio0: ${RAW},size=16M\nvirtio1: ${QCOW2},size=16M\nunused0: local:${VMID}/vm-${VMID}-cloudinit.raw\n`,
    });
    for (const which of ['source', 'target'] as const) {
      const file = nodes.file(which, `local:${VMID}/vm-${VMID}-cloudinit.raw`);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, which);
    }
    await nodes.claim();
    await expect(nodes.prepare()).rejects.toMatchObject({ code: 'already-exists' });
    await nodes.giveBack();
    await nodes.revoke();
    expect(nodes.leftOnTarget()).toEqual(expect.arrayContaining([`images/${VMID}/vm-${VMID}-cloudinit.raw`]));
    expect(nodes.leftOnTarget().filter((name) => name.includes('incoming'))).toEqual([]);
  });

  test('that can not be armed for minutes gives the guest back', async () => {
    await prepared();
    await nodes.shutDown();
    await nodes.copy(true);
    await nodes.verify();
    nodes.cuts.set('arm', 'before');
    await expect(nodes.handOver(1)).rejects.toMatchObject({ code: 'peer-unreachable', retryable: true });
    await expect(nodes.handOver(8)).rejects.toMatchObject({ code: 'rolled-back' });
    await assertUndone();
  });
});

describe('a source that has rebooted', () => {
  test('hands nothing over before its boot is registered', async () => {
    await prepared();
    await nodes.shutDown();
    await nodes.copy(true);
    await nodes.verify();
    await nodes.restart('source', { rebooted: true });
    await expect(nodes.handOver()).rejects.toMatchObject({ code: 'outcome-unknown' });
    expect([await nodes.state('source'), await nodes.state('target')]).toEqual(['releasing', 'incoming']);
    nodes.source.boot.confirmed = true;
    await nodes.handOver();
    expect([await nodes.state('source'), await nodes.state('target')]).toEqual(['released', 'owned']);
  });
});

describe('a guest that runs', () => {
  test('and does not shut down in time runs on, or is stopped where that was asked for', async () => {
    await prepared({ start: true, migration: { ...RUNS, onShutdownTimeout: 'fail' } });
    const pid = pidOf('source');
    await expect(nodes.shutDown()).rejects.toMatchObject({ code: 'shutdown-timeout' });
    expect([pidOf('source'), await nodes.state('source')]).toEqual([pid, 'owned']);
    await nodes.close();
    await prepared({ start: true, migration: { ...RUNS, onShutdownTimeout: 'stop' } });
    await nodes.shutDown();
    expect([pidOf('source'), await nodes.state('source')]).toEqual([null, 'releasing']);
    await nodes.giveBack();
    expect(pidOf('source')).not.toBeNull();
  });

  test('is started at its target with its disks', async () => {
    await prepared({ start: true, migration: { ...RUNS, onShutdownTimeout: 'stop' } });
    await nodes.shutDown();
    await nodes.copy(true);
    await nodes.verify();
    await nodes.handOver();
    expect((await nodes.startMoved()).startedAt).not.toBeNull();
    await nodes.release();
    expect([pidOf('source'), pidOf('target') === null]).toEqual([null, false]);
  });

  test('though the checks saw it off is not shut down', async () => {
    nodes = await startOfflineNodes();
    await manageGuest(nodes.source, { verb: 'start', vmid: VMID });
    await nodes.claim();
    await expect(nodes.shutDown()).rejects.toMatchObject({ code: 'guest-state' });
    expect(pidOf('source')).not.toBeNull();
  });

  test('is not taken for ended when only its monitor is lost', async () => {
    await prepared({ start: true, migration: { ...RUNS, shutdownTimeoutMs: 60_000, onShutdownTimeout: 'fail' } });
    const pid = pidOf('source');
    const ending = nodes.shutDown().catch((error: unknown) => error);
    await vi.waitFor(async () => expect(await nodes.source.shutdowns.isAsked(VMID)).toBe(true));
    await delay(200);
    nodes.source.monitors.closeAll();
    expect(await ending).toMatchObject({ code: 'qmp-disconnected', retryable: true });
    expect([pidOf('source'), await nodes.state('source')]).toEqual([pid, 'owned']);
  });

  test('and obeys after the roll-back, while no worker listens, is started again', async () => {
    await prepared({ start: true, migration: { ...RUNS, onShutdownTimeout: 'stop' } });
    await nodes.giveBack();
    const process = findGuestProcess(nodes.source, VMID);
    if (process === null) throw new Error('Cannot find the guest that was given back');
    nodes.source.monitors.closeAll();
    await nodes.source.shutdowns.begin(VMID);
    await killQemu(process);
    await nodes.restart('source');
    await recoverUntilSettled(nodes.source, VMID);
    expect(pidOf('source')).not.toBeNull();
    expect(await nodes.source.shutdowns.isAsked(VMID)).toBe(false);
  });
});

describe('a migration that was ended by force', () => {
  test('after the shutdown gives its guest back with the next start, and leaves nothing on the target', async () => {
    await prepared({ start: true, migration: { ...RUNS, onShutdownTimeout: 'stop' } });
    await nodes.shutDown();
    await nodes.copy(true);
    await manageGuest(nodes.source, { verb: 'start', vmid: VMID });
    expect(pidOf('source')).not.toBeNull();
    expect([await nodes.state('source'), await nodes.state('target'), nodes.leftOnTarget()]).toEqual(['owned', 'revoked', []]);
  });

  test('between released and go is finished by a start at the target', async () => {
    await prepared();
    await nodes.shutDown();
    await nodes.copy(true);
    await nodes.verify();
    nodes.cuts.set('go', 'before');
    await expect(nodes.handOver()).rejects.toMatchObject({ code: 'peer-unreachable' });
    expect([await nodes.state('source'), await nodes.state('target')]).toEqual(['released', 'armed']);
    await manageGuest(nodes.target, { verb: 'start', vmid: VMID });
    expect([await nodes.state('target'), pidOf('target') === null]).toEqual(['owned', false]);
    await expect(manageGuest(nodes.source, { verb: 'start', vmid: VMID })).rejects.toMatchObject({ code: 'cancel-refused' });
  });
});
