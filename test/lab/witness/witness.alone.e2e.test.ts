/** Real guests under QEMU on one host: what the witness sees of a boot, a migration, and each damage done on purpose. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { askGuest, askGuestStatus } from '../../../lab/witness/ask-guest.js';
import { corruptWitness } from '../../../lab/witness/corrupt.js';
import type { GuestStatus } from '../../../lab/witness/observer-report.js';
import { readObserverReport, readWitness, resetWitness } from '../../../lab/witness/read-witness.js';
import type { WitnessGuest } from '../../../lab/witness/witness-guest-config.js';
import { startGuestNetwork, type GuestNetwork } from './guest-network.js';
import { startObserver, type ObserverProcess } from './observer-process.js';
import { makeDisk, moveWitnessVm, startWitnessVm, type WitnessVm } from './witness-vm.js';

const VMID = 101;
const GUEST: WitnessGuest = { vmid: VMID, name: 'witness', memoryMiB: 512, dirtyRate: 20 << 20, workingSet: 256 << 20, disks: [64], storage: 'local' };

let network: GuestNetwork;
let observer: ObserverProcess;
let disk: ReturnType<typeof makeDisk>;
let vms: WitnessVm[] = [];

beforeAll(async () => {
  network = await startGuestNetwork();
  observer = await startObserver({ listen: '10.90.2.1:7001', netns: network.netns });
});
afterAll(async () => {
  await observer.close();
  await network.close();
});

const question = () => ({ observerSocket: observer.socket, vmid: VMID });

async function start(input: { copy: 'a' | 'b'; guest?: WitnessGuest; incoming?: boolean }): Promise<WitnessVm> {
  const guest = input.guest ?? GUEST;
  const vm = await startWitnessVm({ ...input, guest, network, diskPath: guest.disks.length > 0 ? disk.path : null });
  vms.push(vm);
  return vm;
}

async function until<Value>(read: () => Promise<Value>, good: (value: Value) => boolean): Promise<Value> {
  const deadline = Date.now() + 120_000;
  for (;;) {
    const value = await read().catch(() => undefined);
    if (value !== undefined && good(value)) return value;
    if (Date.now() > deadline) throw new Error(`Cannot wait any longer: the last value is ${JSON.stringify(value).slice(0, 300)}`);
    await sleep(100);
  }
}

/** The guest has filled its working set and acknowledged some records. */
const settled = (): Promise<GuestStatus> =>
  until(
    () => askGuestStatus({ ...question(), timeoutMs: 1_000 }),
    ({ memory, journal, tick }) => tick > 200 && memory.ready === memory.pages && (journal.slots === 0 || journal.acked > 10),
  );

describe('a witness guest', () => {
  beforeAll(async () => {
    disk = makeDisk(64);
    await start({ copy: 'a' });
    await settled();
  });
  afterAll(async () => {
    for (const vm of vms) await vm.kill();
    vms = [];
    disk.remove();
  });

  it('ticks, answers pings, dirties memory at its rate and writes its journal', async () => {
    await resetWitness(question());
    const verdict = await readWitness({ ...question(), imagePath: disk.path, observeMs: 3_000 });
    expect(verdict.reasons).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, regressions: 0, doubleRunner: false, memoryIntact: true, diskIntact: true, reboots: 0, pagesChecked: 65_536 });
    expect(verdict.ticks).toBeGreaterThan(300);
    expect(verdict.recordsChecked).toBeGreaterThan(30);
    const { memory } = await askGuestStatus(question());
    expect(memory.measuredRate).toBeGreaterThan(0.8 * GUEST.dirtyRate);
  });

  it('survives a live migration, which shows as one stop of its clock', async () => {
    const [source] = vms;
    if (source === undefined) throw new Error('no guest runs');
    const target = await start({ copy: 'b', incoming: true });
    await resetWitness(question());
    const { stopToResumeMs, rounds } = await moveWitnessVm({ source, target });
    await source.kill();
    const verdict = await readWitness({ ...question(), imagePath: disk.path, observeMs: 1_000 });
    expect(verdict.reasons).toEqual([]);
    expect(verdict).toMatchObject({ ok: true, regressions: 0, reboots: 0 });
    expect(rounds).toBeGreaterThanOrEqual(3);
    // The guest is stopped a little before STOP is told and ticks a little after RESUME; a busy host stretches both.
    expect(verdict.longestStopMs).toBeGreaterThan(stopToResumeMs - 15);
    expect(verdict.longestStopMs).toBeLessThan(stopToResumeMs + 500);
    expect(verdict.stopGapMs).toBeGreaterThanOrEqual(verdict.longestStopMs);
  });

  it('shows damage of its disk', async () => {
    expect(await corruptWitness({ what: 'disk', ...question(), imagePath: disk.path })).toContain('inverted 16 bytes');
    const verdict = await readWitness({ ...question(), imagePath: disk.path });
    expect(verdict).toMatchObject({ ok: false, diskIntact: false, memoryIntact: true });
    expect(verdict.reasons).toEqual([expect.stringMatching(/^journal record \d+ \(byte \d+\): wrong checksum; 1 bad records in all$/)]);
  });

  it('shows damage of its memory', async () => {
    expect(await corruptWitness({ what: 'memory', ...question() })).toContain('flipped one byte');
    const verdict = await readWitness({ ...question(), imagePath: disk.path });
    expect(verdict).toMatchObject({ ok: false, memoryIntact: false });
    expect(verdict.reasons.join()).toMatch(/memory errors: 1, first in page \d+ at byte \d+/);
  });

  it('tells a reboot, keeps its journal going, and forgets no acknowledged record', async () => {
    const before = (await readObserverReport(question())).boots.at(-1)?.journalAcked ?? 0;
    await askGuest(question(), 'reboot');
    await until(
      () => readObserverReport(question()),
      ({ boots }) => (boots.at(-1)?.journalAcked ?? 0) > before && boots.length > 1,
    );
    await settled();
    const { boots } = await readObserverReport(question());
    expect(boots.at(-1)?.journalFirst).toBeGreaterThan(before);
    const verdict = await readWitness({ ...question(), imagePath: disk.path });
    expect(verdict).toMatchObject({ ok: false, reboots: 1, memoryIntact: false });
    expect(verdict.recordsChecked).toBeGreaterThan(before);
  });

  it('shuts down when its power button is pressed', async () => {
    const vm = vms.at(-1);
    if (vm === undefined) throw new Error('no guest runs');
    await vm.qmp.execute('system_powerdown');
    await vm.qmp.waitForEvent(({ name }) => name === 'SHUTDOWN', { after: 0, timeoutMs: 60_000 });
    await vm.qmp.closed;
    await until(
      () => readObserverReport(question()),
      ({ ticks }) => ticks.silentMs > 2_500,
    );
    const verdict = await readWitness({ ...question(), imagePath: disk.path, answerTimeoutMs: 500 });
    expect(verdict.ok).toBe(false);
    expect(verdict.reasons.join()).toContain('the guest does not run');
  });
});

describe('a guest that runs twice after a migration', () => {
  // Without a disk: QEMU's image lock would stop the second runner.
  const small: WitnessGuest = { ...GUEST, workingSet: 32 << 20, dirtyRate: 1 << 20, disks: [] };
  afterEach(async () => {
    for (const vm of vms) await vm.kill();
    vms = [];
  });
  beforeEach(() => {
    vms = [];
  });

  it('is seen as two runners', async () => {
    const source = await start({ copy: 'a', guest: { ...small, vmid: VMID } });
    await until(
      () => readObserverReport(question()),
      ({ ticks }) => ticks.silentMs >= 0 && ticks.silentMs < 1_000,
    );
    await settled();
    const target = await start({ copy: 'b', guest: { ...small, vmid: VMID }, incoming: true });
    await resetWitness(question());
    await moveWitnessVm({ source, target });
    await source.qmp.execute('cont');
    const verdict = await readWitness({ ...question(), imagePath: null, observeMs: 1_000 });
    expect(verdict).toMatchObject({ ok: false, doubleRunner: true });
    expect(verdict.regressions).toBeGreaterThan(10);
  });
});
