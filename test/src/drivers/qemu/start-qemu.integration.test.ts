import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { detectAccelerator } from '../../../../src/drivers/qemu/accelerator.js';
import { findQemu } from '../../../../src/drivers/qemu/find-qemu.js';
import { killQemu } from '../../../../src/drivers/qemu/kill-qemu.js';
import { kvmTrialFirmware, TRIAL_EXIT_VALUE } from '../../../../src/drivers/qemu/kvm-trial-firmware.js';
import { qemuArguments } from '../../../../src/drivers/qemu/qemu-arguments.js';
import { readQemuFacts } from '../../../../src/drivers/qemu/qemu-facts.js';
import { isAlive } from '../../../../src/drivers/host/process-identity.js';
import { readQemuProcess } from '../../../../src/drivers/qemu/qemu-process.js';
import { quitQemu } from '../../../../src/drivers/qemu/quit-qemu.js';
import { readMachineType } from '../../../../src/drivers/qemu/read-machine-type.js';
import { resolveMachineType } from '../../../../src/drivers/qemu/resolve-machine-type.js';
import { runFiles } from '../../../../src/drivers/qemu/run-files.js';
import { scanQemu } from '../../../../src/drivers/qemu/scan-qemu.js';
import { startQemu, type StartedQemu, type StartQemuOptions } from '../../../../src/drivers/qemu/start-qemu.js';
import { connectQmp } from '../../../../src/drivers/qmp/connect-qmp.js';
import { dirDriver } from '../../../../src/drivers/storage/dir/dir-driver.js';
import { parseGuestConfig } from '../../../../src/schema/guest-config.js';
import { BINARY } from './two-qemus.js';

const VMID = 990_002;
let root: string;
let folder: string;
let started: StartedQemu | undefined;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kedge-start-'));
  folder = join(root, String(VMID));
});
afterEach(async () => {
  started?.qmp.close();
  if (started !== undefined) await killQemu(started.identity);
  started = undefined;
  rmSync(root, { recursive: true });
});

function optionsFor(config: string, changes: Partial<Parameters<typeof qemuArguments>[0]> = {}): StartQemuOptions {
  const args = qemuArguments({
    vmid: VMID,
    config: parseGuestConfig(config),
    folder,
    volumes: new Map(),
    machineType: 'pc-i440fx-7.2',
    accelerator: 'tcg',
    incoming: false,
    ...changes,
  });
  return { vmid: VMID, folder, binary: BINARY, args };
}

describe('a started QEMU', () => {
  it('stands still, in a session of its own, and both of its sockets serve', async () => {
    started = await startQemu(optionsFor('name: web\nmemory: 32\n'));
    const { identity, qmp } = started;
    await expect(qmp.execute('query-status')).resolves.toMatchObject({ status: 'prelaunch' });
    expect(identity).toMatchObject({ vmid: VMID, incoming: false, pidFile: runFiles(folder).pidFile });
    // Field 6 of proc(5): the session, led by the process itself.
    expect(readFileSync(`/proc/${identity.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[3]).toBe(String(identity.pid));
    const observer = await connectQmp(runFiles(folder).observerSocket);
    observer.close();
  });

  it('is found by its pid file, and by its command line without it', async () => {
    started = await startQemu(optionsFor('memory: 32\n', { incoming: true }));
    const { pidFile } = runFiles(folder);
    expect(findQemu({ vmid: VMID, pidFile })).toMatchObject({ pid: started.identity.pid, startTime: started.identity.startTime, incoming: true });
    expect(findQemu({ vmid: VMID + 1, pidFile })).toBeNull();
    rmSync(pidFile);
    expect(findQemu({ vmid: VMID, pidFile })).toBeNull();
    expect(scanQemu({ vmid: VMID }).map(({ pid }) => pid)).toEqual([started.identity.pid]);
    expect(scanQemu().some(({ vmid }) => vmid === VMID)).toBe(true);
  });

  it('may take longer than a quarter of a minute, as one whose disks are on slow storage does', async () => {
    const slow = join(root, 'qemu-slow');
    writeFileSync(slow, `#!/bin/sh\nsleep 17\nexec ${BINARY} "$@"\n`, { mode: 0o755 });
    started = await startQemu({ ...optionsFor('memory: 32\n'), binary: slow });
    await expect(started.qmp.execute('query-status')).resolves.toMatchObject({ status: 'prelaunch' });
  });

  it('is not started a second time', async () => {
    const options = optionsFor('memory: 32\n');
    started = await startQemu(options);
    await expect(startQemu(options)).rejects.toMatchObject({ code: 'guest-state', details: { pid: started.identity.pid } });
  });

  it('is gone after quit, and a killed one counts as gone at once', async () => {
    const options = optionsFor('memory: 32\n');
    const first = await startQemu(options);
    await quitQemu(first.qmp, first.identity);
    expect(findQemu({ vmid: VMID, pidFile: runFiles(folder).pidFile })).toBeNull();
    started = await startQemu(options);
    await killQemu(started.identity);
    expect(isAlive(started.identity)).toBe(false);
    await killQemu(started.identity);
  });

  it('ends by SIGTERM when it may take its time', async () => {
    started = await startQemu(optionsFor('memory: 32\n'));
    const ended = started.qmp.waitForEvent(({ name }) => name === 'SHUTDOWN', { after: 0, timeoutMs: 5_000 });
    await killQemu(started.identity, { termTimeoutMs: 5_000 });
    await expect(ended).resolves.toMatchObject({ data: { reason: 'host-signal' } });
  });

  it('that refuses its arguments fails with what it wrote', async () => {
    const options = optionsFor('memory: 32\n');
    const failed = startQemu({ ...options, args: [...options.args, '-device', 'no-such-device'] });
    await expect(failed).rejects.toMatchObject({ code: 'qemu-start-failed', message: expect.stringContaining('no-such-device') });
  });

  it('that does not exist fails at once', async () => {
    await expect(startQemu({ ...optionsFor('memory: 32\n'), binary: '/no/such/qemu' })).rejects.toMatchObject({ code: 'qemu-start-failed' });
  });

  it('outlives the process that started it', async () => {
    const options = optionsFor('memory: 32\n');
    // The same spawn as startQemu's, in a child that ends at once.
    const script = `require('node:child_process').spawn(${JSON.stringify(BINARY)}, ${JSON.stringify(options.args)}, { detached: true, stdio: 'ignore' }).unref()`;
    execFileSync('mkdir', ['-p', folder]);
    execFileSync(process.execPath, ['-e', script]);
    await expect.poll(() => findQemu({ vmid: VMID, pidFile: runFiles(folder).pidFile }), { timeout: 5_000 }).not.toBeNull();
    const found = findQemu({ vmid: VMID, pidFile: runFiles(folder).pidFile });
    if (found !== null) await killQemu(found);
  });

  it.each(['pc', 'q35'])('has all devices of a full config at their places on %s', async (machine) => {
    const storage = dirDriver({ id: 'local', type: 'dir', path: root, content: ['images'], shared: false, nodes: null, disabled: false });
    const disk = await storage.allocate({ vmid: VMID, format: 'raw', sizeBytes: 1_048_576 });
    const second = await storage.allocate({ vmid: VMID, format: 'qcow2', sizeBytes: 1_048_576 });
    const config = parseGuestConfig(
      [
        `machine: ${machine}`,
        'memory: 64',
        'cores: 2',
        'scsihw: virtio-scsi-single',
        `virtio0: ${disk},cache=writeback,serial=abc`,
        `scsi1: ${second},cache=writeback,discard=on,ssd=1`,
        'serial0: socket',
        'agent: 1',
        'vga: std',
        'vmgenid: 11111111-1111-1111-1111-111111111111',
        'args: -fw_cfg "name=opt/kedge,string=two words"',
      ].join('\n'),
    );
    const volumes = new Map([
      ['virtio0', storage.imagePath(disk)],
      ['scsi1', storage.imagePath(second)],
    ]);
    const machineType = resolveMachineType(config, await readQemuFacts(BINARY));
    const args = qemuArguments({ vmid: VMID, config, folder, volumes, machineType, accelerator: 'tcg', incoming: false });
    started = await startQemu({ vmid: VMID, folder, binary: BINARY, args });
    expect(await readMachineType(started.qmp)).toBe(machineType);
    await started.qmp.execute('cont');
    expect(readFileSync(runFiles(folder).stderrFile, 'utf8')).toBe('');
    expect(statSync(join(folder, 'serial0.sock')).isSocket()).toBe(true);
  });
});

describe('a process that is no QEMU of Kedge', () => {
  it('is never taken for one, whatever the pid file says', () => {
    const pidFile = join(root, 'pid');
    writeFileSync(pidFile, `${process.pid}\n`);
    expect(findQemu({ vmid: VMID, pidFile })).toBeNull();
    writeFileSync(pidFile, 'not a pid');
    expect(findQemu({ vmid: VMID, pidFile })).toBeNull();
    expect(readQemuProcess(1)).toBeNull();
  });
});

describe('what a node can run', () => {
  it('is read from the program', async () => {
    const facts = await readQemuFacts(BINARY);
    expect(facts.version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(facts.machineTypes).toContain(facts.machineAliases['q35']);
    expect(facts.machineTypes).not.toContain('q35');
    expect(await readQemuFacts(facts.binary)).toBe(facts);
    await expect(readQemuFacts('no-such-qemu')).rejects.toMatchObject({ code: 'qemu-start-failed' });
  });

  it('is KVM or TCG, told within the limit and once', async () => {
    const first = detectAccelerator(BINARY);
    expect(['kvm', 'tcg']).toContain(await first);
    expect(detectAccelerator(BINARY)).toBe(first);
  });

  it('is tried with a firmware that ends a working machine by its code', async () => {
    const firmware = join(root, 'firmware');
    writeFileSync(firmware, kvmTrialFirmware());
    const machine = ['-machine', 'pc', '-accel', 'tcg', '-m', '16', '-nodefaults', '-display', 'none', '-bios', firmware];
    const child = spawn(BINARY, [...machine, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'], { stdio: 'ignore' });
    const code = await new Promise((resolve) => child.once('exit', resolve));
    expect(code).toBe((TRIAL_EXIT_VALUE << 1) | 1);
  });
});
