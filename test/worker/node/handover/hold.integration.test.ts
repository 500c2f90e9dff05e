import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CopyResult, PreparedTarget, StepRef } from '../../../../activities/interface.js';
import { isRecord } from '../../../../src/domain/is-record.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { DEFAULT_MIGRATION_OPTIONS, type MigrationOptions } from '../../../../src/domain/migration.js';
import { setBandwidth } from '../../../../src/drivers/qemu/migration-commands.js';
import { createNodeService } from '../../../../worker/node/create-node-service.js';
import { findGuestProcess, lookAtGuest } from '../../../../worker/node/guests/look-at-guest.js';
import { manageGuest } from '../../../../worker/node/guests/manage-guest.js';
import { watchGuests } from '../../../../worker/node/guests/watch-guests.js';
import { recoverUntilSettled } from '../../../../worker/node/recovery/recover-guests.js';
import { busyBootSector } from '../../../support/busy-boot-sector.js';
import { NODE1, NODE2, startTwoNodes, STEP, VMID, type TwoNodes } from '../../../support/two-nodes.js';

const MIB = 2 ** 20;
/** What the guest writes anew all the time: more than QEMU sends at once, in the 100 ms for which it counts its bandwidth. */
const BUSY_MIB = 8;
/** Fast enough for a short test, slow enough that QEMU can't finish a busy guest within its 1 ms. */
const BANDWIDTH = 30 * MIB;
const OPTIONS: MigrationOptions = { ...DEFAULT_MIGRATION_OPTIONS, type: 'insecure', hold: true, bandwidthLimit: BANDWIDTH, maxDowntimeMs: 1_000 };

let nodes: TwoNodes;
let sequence = 0;

beforeEach(async () => {
  sequence = 0;
  nodes = await startTwoNodes();
});

afterEach(async () => {
  await nodes.close();
});

function nextStep(): StepRef {
  sequence += 1;
  return { ...STEP, sequence };
}

/** Starts the guest anew, so that it writes to `dirtyMiB` of its memory over and over. */
async function keepBusy(dirtyMiB: number): Promise<void> {
  await manageGuest(nodes.source, { verb: 'stop', vmid: VMID });
  const disk = await open(join(nodes.source.paths.etc, '..', '..', 'shared', 'images', String(VMID), `vm-${VMID}-disk-0.raw`), 'r+');
  await disk.write(busyBootSector({ dirtyBytes: dirtyMiB * MIB }));
  await disk.sync();
  await disk.close();
  await manageGuest(nodes.source, { verb: 'start', vmid: VMID });
  const qmp = await nodes.source.monitors.of(VMID);
  // The last page that it writes: one round has been made.
  const lastPage = 16 * MIB + dirtyMiB * MIB - 4_096;
  await vi.waitFor(async () => {
    const dump = await qmp.execute('human-monitor-command', { 'command-line': `xp /1wx ${lastPage}` });
    if (/0x00000000\s*$/.test(String(dump))) throw new Error('Cannot see the guest write');
  }, 20_000);
}

async function prepare(): Promise<PreparedTarget> {
  const claim = await createNodeService(nodes.source).claimGuest({ step: nextStep(), target: NODE2 }, { attempt: 1 });
  return createNodeService(nodes.target).prepareTarget(
    { step: nextStep(), source: NODE1, config: claim.config, wanted: claim.wanted, runningMachine: null, sourceQemu: '7.2.22', options: OPTIONS },
    { attempt: 1 },
  );
}

/** One attempt of the copy, as an activity runs it. */
interface Attempt {
  readonly result: Promise<CopyResult>;
  /** Resolves when the attempt has reported that it holds. */
  readonly holding: Promise<void>;
  /** The worker ends, the stream runs on. */
  leave(): Promise<unknown>;
}

function copy(
  prepared: PreparedTarget,
  { step, attempt = 1, ...input }: { step: StepRef; attempt?: number; deadline?: string; options?: Partial<MigrationOptions> },
): Attempt {
  const stop = new AbortController();
  let reportHolding = (): void => undefined;
  const holding = new Promise<void>((resolve) => {
    reportHolding = resolve;
  });
  const result = createNodeService(nodes.source).copyAndSwitchOver(
    { step, target: NODE2, prepared, options: { ...OPTIONS, ...input.options }, deadline: input.deadline ?? null },
    {
      attempt,
      signal: stop.signal,
      report: ({ phase }) => {
        if (phase === 'holding') reportHolding();
      },
    },
  );
  const seenHolding = Promise.race([holding, result.then(() => Promise.reject(new Error('Cannot see the copy hold: it has ended')))]);
  // Each test looks at what it needs.
  result.catch(() => undefined);
  seenHolding.catch(() => undefined);
  return {
    result,
    holding: seenHolding,
    leave: () => {
      stop.abort(new KedgeError('worker-stopping', 'Cannot go on with the copy: the worker ends'));
      return result.catch((error: unknown) => error);
    },
  };
}

/**
 * Why the copy ends when it is repeated as a workflow would: QEMU's monitor may close before its process is gone, and an attempt that
 * lost the one while there is the other says nothing yet.
 */
async function failureOf(copying: Attempt, prepared: PreparedTarget, step: StepRef): Promise<unknown> {
  for (let attempt = 2, under = copying; ; attempt += 1, under = copy(prepared, { step, attempt })) {
    const error = await under.result.then(() => null).catch((failure: unknown) => failure);
    if (!(error instanceof KedgeError) || !error.retryable) return error;
  }
}

function release(step: StepRef): Promise<void> {
  return createNodeService(nodes.source).releaseHold({ step }, { attempt: 1 });
}

/** Bytes per second that QEMU may send on the source. */
async function bandwidth(): Promise<unknown> {
  const parameters = await (await nodes.source.monitors.of(VMID)).execute('query-migrate-parameters');
  return isRecord(parameters) ? parameters['max-bandwidth'] : null;
}

/** What QEMU says on both nodes: never from records. */
async function states(): Promise<{ source: string; target: string }> {
  return { source: (await lookAtGuest(nodes.source, VMID)).view.qemu, target: (await lookAtGuest(nodes.target, VMID)).view.qemu };
}

const MOVED = { source: 'postmigrate', target: 'running' };
const HELD = { source: 'running', target: 'inmigrate' };

describe('a held copy of a busy guest', () => {
  test('waits until it is released, and then moves the guest', async () => {
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    const copying = copy(prepared, { step });
    await copying.holding;
    expect(await bandwidth()).toBe(10);
    expect(await states()).toEqual(HELD);
    await release(step);
    await copying.result;
    expect(await states()).toEqual(MOVED);
  });

  test('holds although its rest would fit the allowed pause', async () => {
    await keepBusy(40);
    const prepared = await prepare();
    const step = nextStep();
    const copying = copy(prepared, { step, options: { maxDowntimeMs: 5_000 } });
    await copying.holding;
    expect(await states()).toEqual(HELD);
    await release(step);
    await copying.result;
    expect(await states()).toEqual(MOVED);
  });

  test('moves at once when it was released before its stream began', async () => {
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    await release(step);
    await copy(prepared, { step }).result;
    expect(await states()).toEqual(MOVED);
  });

  test('is held on after a restart of the worker, until it is released', async () => {
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    const first = copy(prepared, { step });
    await first.holding;
    expect(await first.leave()).toMatchObject({ code: 'worker-stopping' });
    await nodes.restart('source');
    await recoverUntilSettled(nodes.source, VMID);
    expect(await states()).toEqual(HELD);
    const second = copy(prepared, { step, attempt: 2 });
    await second.holding;
    expect(await bandwidth()).toBe(10);
    await release(step);
    expect((await second.result).reattached).toBe(1);
    expect(await states()).toEqual(MOVED);
  });

  test('moves on when it was released while the worker was away', async () => {
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    const first = copy(prepared, { step });
    await first.holding;
    await first.leave();
    await release(step);
    await nodes.restart('source');
    expect((await copy(prepared, { step, attempt: 2 }).result).reattached).toBe(1);
    expect(await bandwidth()).not.toBe(10);
    expect(await states()).toEqual(MOVED);
  });

  test('does not run against the clock', async () => {
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    const deadlineMs = Date.now() + 5_000;
    const copying = copy(prepared, { step, deadline: new Date(deadlineMs).toISOString() });
    await copying.holding;
    await vi.waitUntil(() => Date.now() > deadlineMs + 1_000, 20_000);
    await release(step);
    await copying.result;
    expect(await states()).toEqual(MOVED);
  });

  test('ends when its QEMU dies, and the guest is started from its disk where it was', async () => {
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    const copying = copy(prepared, { step });
    await copying.holding;
    process.kill(findGuestProcess(nodes.source, VMID)?.pid ?? 0, 'SIGKILL');
    expect(await failureOf(copying, prepared, step)).toMatchObject({ code: 'rolled-back', details: { memoryLost: true } });
    expect(await states()).toEqual({ source: 'running', target: 'gone' });
  });

  test('ends when the guest shuts itself down, which stays off and says so', async () => {
    const stop = watchGuests(nodes.source);
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    const copying = copy(prepared, { step });
    await copying.holding;
    // What its system writes to its ACPI registers to switch the power off.
    await (await nodes.source.monitors.of(VMID)).execute('human-monitor-command', { 'command-line': 'o /h 0x604 0x2000' });
    expect(await failureOf(copying, prepared, step)).toMatchObject({ code: 'rolled-back', details: { isOff: true } });
    stop();
    expect(await states()).toEqual({ source: 'gone', target: 'gone' });
    expect(await nodes.source.records.read(VMID)).toMatchObject({ record: { state: 'owned', wanted: 'stopped' } });
  });

  test('leaves no note of its release behind, however late that comes', async () => {
    await keepBusy(BUSY_MIB);
    const prepared = await prepare();
    const step = nextStep();
    await release(step);
    await copy(prepared, { step }).result;
    await createNodeService(nodes.source).releaseSource({ step: nextStep(), target: NODE2 }, { attempt: 1 });
    await release(step);
    expect(await nodes.source.streams.readRelease(VMID, step.migrationId)).toBeNull();
  });
});

test('a stream that was intended and never begun is started by the next attempt', async () => {
  const prepared = await prepare();
  const step = nextStep();
  await nodes.source.streams.write(VMID, {
    migrationId: step.migrationId,
    state: 'intended',
    startedAt: new Date().toISOString(),
    reattached: 0,
    held: false,
    holdBeganAt: null,
    rounds: [],
    memoryLost: false,
    limits: null,
  });
  await nodes.restart('source');
  await recoverUntilSettled(nodes.source, VMID);
  await copy(prepared, { step, options: { hold: false } }).result;
  expect(await states()).toEqual(MOVED);
});

test('a paused guest is held over a restart of the worker, and stays paused', async () => {
  await manageGuest(nodes.source, { verb: 'pause', vmid: VMID });
  const prepared = await prepare();
  const step = nextStep();
  const first = copy(prepared, { step });
  await first.holding;
  // Whether the stream ran past the hold depends on the machine's speed: it is helped along, so that the guest waits behind its end.
  await vi.waitFor(async () => {
    await setBandwidth(await nodes.source.monitors.of(VMID), BANDWIDTH);
    expect((await states()).source).toBe('pre-switchover');
  }, 20_000);
  await first.leave();
  await nodes.restart('source');
  await recoverUntilSettled(nodes.source, VMID);
  expect(await states()).toEqual({ source: 'pre-switchover', target: 'inmigrate' });
  const second = copy(prepared, { step, attempt: 2 });
  await second.holding;
  await release(step);
  await second.result;
  expect(await states()).toEqual({ source: 'postmigrate', target: 'loaded' });
});
