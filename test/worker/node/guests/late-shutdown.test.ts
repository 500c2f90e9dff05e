import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { controlSocketFile, guestRunFolder, journalFolder } from '../../../../src/config/paths.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { GuestKind, OwnershipRecord } from '../../../../src/domain/ownership.js';
import { containerFiles } from '../../../../src/drivers/lxc/container-ref.js';
import { startFakeQmp, type FakeQmp } from '../../../../src/drivers/qmp/fake.js';
import { containerOf } from '../../../../worker/node/guests/container-of.js';
import { shutDownNicely } from '../../../../worker/node/guests/guest-power.js';
import { noteEndedContainers } from '../../../../worker/node/guests/watch-containers.js';
import { watchGuests } from '../../../../worker/node/guests/watch-guests.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { recoverUntilSettled } from '../../../../worker/node/recovery/recover-guests.js';
import { configuredNode } from '../../../support/configured-node.js';
import { startFakeGuest, type FakeGuest } from '../../../support/fake-guest.js';

const VMID = parseVmid(901);
const MINUTE = 60_000;
const CLAIM = { migrationId: migrationIdOf(VMID, parseGeneration(2)), peer: parseNodeName('node2'), mode: 'offline' } as const;

let node: NodeContext;
let remove: () => void;
/** The guest has no config here, so that a start ends right where it is seen. */
let starts: { readonly mock: { readonly calls: readonly unknown[] } };
beforeEach(async () => {
  ({ node, remove } = await configuredNode({ 'storage.cfg': '' }));
  starts = vi.spyOn(node.guestConfigs, 'read');
});
afterEach(() => {
  remove();
});

async function owned(kind: GuestKind, claim: Partial<typeof CLAIM> = {}): Promise<void> {
  await node.records.write({ vmid: VMID, kind, generation: parseGeneration(1), wanted: 'running', bootId: node.bootId, state: 'owned', ...claim });
}

async function record(): Promise<OwnershipRecord | null> {
  const view = await node.records.read(VMID);
  return view.kind === 'record' ? view.record : null;
}

function toldMinutesAgo(minutes: number): void {
  writeFileSync(join(journalFolder(node.paths), `${VMID}.shutdown`), `${new Date(Date.now() - minutes * MINUTE).toISOString()}\n`);
}

describe('a virtual machine that shuts down', () => {
  let qmp: FakeQmp;
  let stop: () => void;
  beforeEach(async () => {
    mkdirSync(guestRunFolder(node.paths, VMID), { recursive: true });
    qmp = await startFakeQmp({ socketPath: controlSocketFile(node.paths, VMID), mode: 'auto' });
    stop = watchGuests(node);
    await node.monitors.of(VMID);
  });
  afterEach(async () => {
    stop();
    node.monitors.closeAll();
    await qmp.close();
  });
  const shutsDown = (): void => qmp.emit('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });

  test('soon after a migration that was rolled back had told it to is started again', async () => {
    await owned('qemu');
    toldMinutesAgo(5);
    shutsDown();
    await vi.waitFor(() => expect(starts.mock.calls).toHaveLength(1));
    expect(await record()).toMatchObject({ wanted: 'running' });
  });

  test('long after that, by the will of its own user, stays off', async () => {
    await owned('qemu');
    toldMinutesAgo(15);
    shutsDown();
    await vi.waitFor(async () => expect(await record()).toMatchObject({ wanted: 'stopped' }));
    expect(starts.mock.calls).toEqual([]);
  });

  test('soon after a migration had told it to, which holds it still, is left to that', async () => {
    await owned('qemu', CLAIM);
    toldMinutesAgo(1);
    const asked = vi.spyOn(node.shutdowns, 'isAsked');
    shutsDown();
    await vi.waitFor(() => expect(asked).toHaveResolvedWith(true));
    await node.locks.withLock(VMID, async () => undefined);
    expect(await record()).toMatchObject({ wanted: 'running', ...CLAIM });
    expect(starts.mock.calls).toEqual([]);
  });
});

describe('a container that has shut down', () => {
  beforeEach(async () => {
    await owned('lxc');
    const { folder, log } = containerFiles(containerOf(node, VMID));
    mkdirSync(folder, { recursive: true });
    writeFileSync(log, 'x - Started "init" as 1\ny - Container init process 1 exited\nz - Container "901" is halting\n');
  });

  test('soon after a migration that was rolled back had told it to stays wanted, for who looks at the marks', async () => {
    toldMinutesAgo(5);
    await noteEndedContainers(node);
    expect(await record()).toMatchObject({ wanted: 'running' });
  });

  test('long after that, by the will of its own user, stays off', async () => {
    toldMinutesAgo(15);
    await noteEndedContainers(node);
    expect(await record()).toMatchObject({ wanted: 'stopped' });
  });
});

describe('a guest that a worker finds off when it comes', () => {
  test.for([
    [5, 1],
    [15, 0],
  ] as const)('%i minutes after a migration had told it to shut down is started %i times', async ([minutes, expected]) => {
    await owned('qemu');
    toldMinutesAgo(minutes);
    await recoverUntilSettled(node, VMID);
    expect(starts.mock.calls).toHaveLength(expected);
  });
});

describe('a guest that is told to shut down', () => {
  let guest: FakeGuest;
  beforeEach(async () => {
    guest = await startFakeGuest(node, VMID, 'step');
  });
  afterEach(async () => {
    node.monitors.closeAll();
    await guest.kill();
  });

  test('is marked before it hears of it', async () => {
    const ending = shutDownNicely(node, { vmid: VMID, kind: 'qemu' }, { timeoutMs: 300 });
    const pressed = await guest.qmp.nextRequest();
    expect([pressed.command, await node.shutdowns.isAsked(VMID)]).toEqual(['system_powerdown', true]);
    pressed.answer();
    expect(await ending).toBe(false);
  });

  test('hears nothing of an attempt that was told to stop before it came to its word', async () => {
    const stop = new AbortController();
    stop.abort();
    expect(await shutDownNicely(node, { vmid: VMID, kind: 'qemu' }, { timeoutMs: 300, signal: stop.signal })).toBe(false);
    expect(guest.qmp.requests).toEqual([]);
  });
});
