import { afterEach, beforeEach, describe, expect, test, vi, type MockInstance } from 'vitest';
import { mkdirSync, writeFileSync } from 'node:fs';
import type { HeldGuestEnd } from '../../../../activities/interface.js';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import type { GuestKind, OwnershipRecord } from '../../../../src/domain/ownership.js';
import { containerFiles } from '../../../../src/drivers/lxc/container-ref.js';
import { containerOf } from '../../../../worker/node/guests/container-of.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { watchHeldGuest } from '../../../../worker/node/offline/watch-held-guest.js';
import { configuredNode } from '../../../support/configured-node.js';
import { startFakeGuest, type FakeGuest } from '../../../support/fake-guest.js';
import { stepOf, VMID } from '../../../support/receiving-node.js';

let node: NodeContext;
let remove: () => void;
beforeEach(async () => {
  ({ node, remove } = await configuredNode({}));
});
afterEach(() => {
  remove();
});

async function held(kind: GuestKind, migration = 2): Promise<void> {
  const base = { vmid: VMID, kind, generation: stepOf(1).generation, wanted: 'running', bootId: node.bootId } as const;
  await node.records.write({ ...base, state: 'owned', migrationId: stepOf(migration).migrationId, peer: parseNodeName('node2'), mode: 'offline' });
}

const watch = (signal: AbortSignal = new AbortController().signal): Promise<HeldGuestEnd> => watchHeldGuest(node, { step: stepOf(2), signal });

async function record(): Promise<OwnershipRecord | null> {
  const view = await node.records.read(VMID);
  return view.kind === 'record' ? view.record : null;
}

describe('a virtual machine in its hold', () => {
  let guest: FakeGuest;
  let runs: boolean;
  let opened: MockInstance<NodeContext['monitors']['of']>;
  beforeEach(async () => {
    await held('qemu');
    guest = await startFakeGuest(node, VMID);
    runs = true;
    opened = vi.spyOn(node.monitors, 'of');
  });
  afterEach(async () => {
    node.monitors.closeAll();
    if (runs) await guest.kill();
  });
  const end = async (): Promise<void> => {
    runs = false;
    await guest.kill();
  };
  /** Resolves once the watch listens. */
  const listens = async (): Promise<void> => {
    await vi.waitFor(() => expect(opened).toHaveResolved());
    await opened.mock.results.at(-1)?.value;
  };

  test('that is killed is told of, and stays wanted running', async () => {
    const watching = watch();
    await listens();
    await end();
    expect(await watching).toEqual({ wanted: 'running' });
    expect(await record()).toMatchObject({ wanted: 'running', migrationId: stepOf(2).migrationId });
  });

  test('that shuts itself down is told of, and is wanted stopped', async () => {
    const watching = watch();
    await listens();
    guest.qmp.emit('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
    await end();
    expect(await watching).toEqual({ wanted: 'stopped' });
    expect(await record()).toMatchObject({ wanted: 'stopped', migrationId: stepOf(2).migrationId });
  });

  test('that obeys the word of an earlier migration stays wanted running', async () => {
    await node.shutdowns.begin(VMID);
    const watching = watch();
    await listens();
    guest.qmp.emit('SHUTDOWN', { guest: true, reason: 'guest-shutdown' });
    await end();
    expect(await watching).toEqual({ wanted: 'running' });
  });

  test('is watched until it is told to end, and is left as it is', async () => {
    const stop = new AbortController();
    const watching = watch(stop.signal);
    await listens();
    stop.abort(new KedgeError('cancelled', 'The hold has ended'));
    await expect(watching).rejects.toMatchObject({ code: 'cancelled' });
    expect(guest.qmp.requests).toEqual([]);
    expect(await record()).toMatchObject({ wanted: 'running' });
  });

  test('is of no interest to a migration that does not claim it', async () => {
    await held('qemu', 4);
    await expect(watch()).rejects.toMatchObject({ code: 'rolled-back' });
  });
});

describe('a guest that is off when its watch begins', () => {
  test.for(['qemu', 'lxc'] as const)('of kind %s has crashed', async (kind) => {
    await held(kind);
    expect(await watch()).toEqual({ wanted: 'running' });
  });

  test('and has shut itself down before is off by its own will', async () => {
    await held('lxc');
    const { folder, log } = containerFiles(containerOf(node, VMID));
    mkdirSync(folder, { recursive: true });
    writeFileSync(log, 'x - Started "901" container\nx - Container init process 7 exited\nx - Container "901" is halting\n');
    expect(await watch()).toEqual({ wanted: 'stopped' });
    expect(await record()).toMatchObject({ wanted: 'stopped' });
  });
});
