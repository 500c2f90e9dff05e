/** The lab itself, with stand-ins for the workers: what it builds, what breaking does, and that nothing is left. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { changeLab } from '../../lab/change-lab.js';
import { cgroupProcesses, labCgroups } from '../../lab/cgroups.js';
import { labDown, loopDevices } from '../../lab/down.js';
import { insideCommand } from '../../lab/exec.js';
import { breakMachine, type Wish } from '../../lab/faults/break-machine.js';
import { healBreaks } from '../../lab/faults/heal-machine.js';
import { labFolder } from '../../lab/lab-folder.js';
import type { Break, LabOptions } from '../../lab/lab-state.js';
import { labNames, machineOf, readLab } from '../../lab/lab-store.js';
import { MARKER } from '../../lab/machine.js';
import { isAlive, processesWithEnvironment, sendSignal, waitUntil } from '../../lab/processes.js';
import { tryRun } from '../../lab/run.js';
import { labStatus, type MachineStatus } from '../../lab/status.js';
import { labUp } from '../../lab/up.js';

const OPTIONS: LabOptions = { nodes: 2, nodeMemoryBytes: 1024 ** 3, nodeCores: 2, nodeDiskBytes: 1024 ** 3, slow: { node2: 0.5 } };
const LAB = `e2e-${process.pid}`;
const OTHER = `other-${process.pid}`;
let root: string;

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'kedge-lab-'));
  vi.stubEnv('KEDGE_LAB_ROOT', root);
  vi.stubEnv('KEDGE_LAB_NODE_COMMAND', 'sleep infinity');
  vi.stubEnv('KEDGE_LAB_CONTROL_COMMAND', 'sleep infinity');
  await up(LAB);
});

afterAll(async () => {
  for (const name of [LAB, OTHER]) await labDown(name);
  rmSync(root, { recursive: true, force: true });
  vi.unstubAllEnvs();
});

describe('a lab', () => {
  it('that is there is left as it is by a second "up", and named when the wish differs', async () => {
    expect((await up(LAB)).built).toBe(false);
    await expect(labUp(LAB, { ...OPTIONS, nodes: 3 }, () => undefined)).rejects.toMatchObject({
      code: 'already-exists',
      message: expect.stringContaining('nodes is 2, wanted 3'),
    });
  });

  it('joins its nodes on control and migration network, and leads each to the server', async () => {
    expect(await pings('node1', '10.90.0.12')).toBe(true);
    expect(await pings('node2', '10.90.1.11')).toBe(true);
    expect((await inside('node1', 'bash', '-c', 'exec 3<>/dev/tcp/10.90.0.2/7233')).code).toBe(0);
  });

  it('gives every node its own name, folders and boot id, and leaves those of the host alone', async () => {
    expect((await inside('node1', 'hostname')).stdout.trim()).toBe('node1');
    expect((await inside('node1', 'cat', '/etc/kedge/node.yaml')).stdout).toContain('name: node1');
    expect((await machine('node1')).bootId).not.toBe((await machine('node2')).bootId);
    expect((await inside('node1', 'touch', '/etc/only-in-node1')).code).toBe(0);
    expect(existsSync('/etc/only-in-node1')).toBe(false);
    expect((await inside('node2', 'ls', '/etc/only-in-node1')).code).not.toBe(0);
  });

  it('shares the shared storage and nothing else', async () => {
    await inside('node1', 'sh', '-c', 'echo seen > /mnt/shared/note; echo hidden > /var/lib/kedge/note');
    expect((await inside('node2', 'cat', '/mnt/shared/note')).stdout).toBe('seen\n');
    expect((await inside('node2', 'cat', '/var/lib/kedge/note')).code).not.toBe(0);
  });

  it('holds every process of a node in its group, with the limits that were declared', async () => {
    const { cgroups } = machineOf(readLab(LAB), 'node2');
    expect(
      cgroupProcesses(cgroups)
        .map(({ pid }) => pid)
        .sort(),
    ).toEqual([...(await machine('node2')).processes.map(({ pid }) => pid), (await machine('node2')).launcher?.pid].sort());
    const quotas = cgroups.flatMap((folder) => ['cpu.cfs_quota_us', 'cpu.max'].map((file) => join(folder, file))).filter(existsSync);
    expect(quotas.map((file) => readFileSync(file, 'utf8').split(' ')[0]?.trim())).toContain('100000');
  });

  it('restarts a component that was killed', async () => {
    const before = (await machine('node1')).components['worker'];
    await broken('node1', { kind: 'kill', target: 'worker' });
    await waitUntil('another worker', async () => ((await machine('node1')).components['worker'] ?? before)?.pid !== before?.pid, { timeoutMs: 2_000 });
  });
});

describe('breaks', () => {
  it('cut one direction of one network, until they are healed', async () => {
    await broken('node1', { kind: 'cut', network: 'migration', direction: 'out', peer: null });
    expect(await pings('node1', '10.90.1.12')).toBe(false);
    expect(await pings('node1', '10.90.0.12')).toBe(true);
    expect((await labStatus(readLab(LAB))).breaks.map(({ fault }) => fault.kind)).toEqual(['cut']);
    await healed();
    expect(await pings('node1', '10.90.1.12')).toBe(true);
    expect(readLab(LAB).breaks).toEqual([]);
  });

  it('drop what leaves, but let in what arrives', async () => {
    await inside('node2', 'sh', '-c', 'ip neighbour replace 10.90.1.11 lladdr 02:4b:45:01:00:0b dev migration0 nud permanent');
    const received = async () => Number((await inside('node1', 'cat', '/sys/class/net/migration0/statistics/rx_packets')).stdout);
    await broken('node1', { kind: 'cut', network: 'migration', direction: 'out', peer: null });
    const before = await received();
    expect(await pings('node2', '10.90.1.11')).toBe(false);
    expect(await received()).toBeGreaterThan(before);
    await healed();
    await inside('node2', 'ip', 'neighbour', 'delete', '10.90.1.11', 'dev', 'migration0');
  });

  it('delay what passes a cable, whatever it is, each direction by as much as was asked for, until they are healed', async () => {
    const before = await roundTrip('node1', '10.90.1.12');
    expect(before.connectMs).toBeLessThan(60);
    await broken('node2', { kind: 'delay', network: 'migration', direction: 'in', delayMs: 60 });
    const oneWay = await roundTrip('node1', '10.90.1.12');
    expect(oneWay.pingMs).toBeGreaterThanOrEqual(60);
    expect(oneWay.pingMs).toBeLessThan(100);
    await broken('node2', { kind: 'delay', network: 'migration', direction: 'out', delayMs: 90 });
    const bothWays = await roundTrip('node1', '10.90.1.12');
    expect(bothWays.pingMs).toBeGreaterThanOrEqual(150);
    expect(bothWays.connectMs, 'TCP').toBeGreaterThanOrEqual(150);
    expect((await roundTrip('node1', '10.90.0.12')).pingMs, 'the other network').toBeLessThan(60);
    await healed();
    const after = await roundTrip('node1', '10.90.1.12');
    expect([after.pingMs, after.connectMs].filter((ms) => ms >= 60)).toEqual([]);
    expect((await machine('switch')).components).toEqual({});
  });

  it('delay without any change to what passes, and together with other faults of the same cable', async () => {
    await broken('node2', { kind: 'delay', network: 'migration', direction: 'both', delayMs: 5 });
    expect((await machine('switch')).components['delay-n2.migration']?.command.join(' ')).toContain('n2.migration.d');
    const make = 'head -c 33554432 /dev/urandom > /tmp/blob; sha256sum < /tmp/blob; timeout 20 socat -u FILE:/tmp/blob TCP-LISTEN:9000,reuseaddr';
    const [sent, received] = await Promise.all([
      inside('node2', 'bash', '-c', make),
      inside('node1', 'bash', '-c', 'socat -u TCP:10.90.1.12:9000,retry=100,interval=0.1 - | sha256sum'),
    ]);
    expect(sent.stdout).toMatch(/^[0-9a-f]{64} /);
    expect(received.stdout).toBe(sent.stdout);
    await broken('node2', { kind: 'cut', network: 'migration', direction: 'both', peer: 'node1' });
    expect(await pings('node1', '10.90.1.12')).toBe(false);
    await healed();
    expect(await pings('node1', '10.90.1.12')).toBe(true);
  });

  it('fill a disk and give the space back', async () => {
    await broken('node1', { kind: 'fill', leaveBytes: 0 });
    expect((await inside('node1', 'dd', 'if=/dev/zero', 'of=/var/lib/kedge/more', 'bs=1M', 'count=8')).stderr).toContain('No space left');
    expect((await inside('node1', 'sh', '-c', 'echo record > /var/lib/kedge/small && sync /var/lib/kedge/small')).code).not.toBe(0);
    await healed();
    expect((await inside('node1', 'dd', 'if=/dev/zero', 'of=/var/lib/kedge/more', 'bs=1M', 'count=8')).code).toBe(0);
  });

  it('slow a disk, also as the other device that it is after a power cut, and let it go again', async () => {
    const tenRecords = async (): Promise<number> => {
      const began = performance.now();
      const { code } = await inside('node2', 'dd', 'if=/dev/zero', 'of=/var/lib/kedge/records-of-a-test', 'bs=512', 'count=10', 'oflag=dsync');
      expect(code).toBe(0);
      return performance.now() - began;
    };
    await broken('node2', { kind: 'slow-disk', writesPerSecond: 5 });
    expect(await tenRecords()).toBeGreaterThan(1_000);
    await broken('node2', { kind: 'power-off' });
    await healed(({ fault }) => fault.kind === 'power-off');
    const slow = await tenRecords();
    expect(slow).toBeGreaterThan(1_000);
    await healed();
    expect(await tenRecords()).toBeLessThan(slow);
  });

  it('that a machine does not know are refused and not noted', async () => {
    await expect(broken('client', { kind: 'cut', network: 'control', direction: 'both', peer: null })).rejects.toMatchObject({ code: 'bad-input' });
    await expect(broken('node1', { kind: 'stop', target: 'qemu:101' })).rejects.toMatchObject({ code: 'not-found' });
    expect(readLab(LAB).breaks).toEqual([]);
  });

  it('that delay a cable hold over a power cut of its machine', async () => {
    await broken('node2', { kind: 'delay', network: 'control', direction: 'out', delayMs: 80 });
    await broken('node2', { kind: 'power-off' });
    expect((await machine('switch')).components).toEqual({});
    await changeLab(LAB, (lab) => healBreaks(lab, ({ fault }) => fault.kind === 'power-off'));
    expect((await roundTrip('node1', '10.90.0.12')).pingMs).toBeGreaterThanOrEqual(80);
    await healed();
    expect((await roundTrip('node1', '10.90.0.12')).pingMs).toBeLessThan(80);
  });

  it('of the power lose what was not synced, keep what was, and give a new boot id', async () => {
    const before = await machine('node1');
    await inside('node1', 'sh', '-c', 'echo safe > /var/lib/kedge/safe; sync /var/lib/kedge/safe; echo lost > /var/lib/kedge/lost');
    await broken('node1', { kind: 'power-off' });
    expect(await machine('node1')).toMatchObject({ power: 'off', processes: [], loopDevices: [] });
    expect(await pings('node2', '10.90.0.11')).toBe(false);
    await healed();
    expect((await inside('node1', 'cat', '/var/lib/kedge/safe')).stdout).toBe('safe\n');
    expect((await inside('node1', 'cat', '/var/lib/kedge/lost')).code).not.toBe(0);
    expect((await machine('node1')).bootId).not.toBe(before.bootId);
    expect(await pings('node2', '10.90.0.11')).toBe(true);
  });
});

describe('two labs at once', () => {
  it('have the same addresses and do not disturb each other', async () => {
    await up(OTHER);
    expect(labNames()).toEqual([LAB, OTHER]);
    await changeLab(OTHER, (lab) => breakMachine(lab, 'node1', { kind: 'cut', network: 'control', direction: 'both', peer: null }));
    expect(await pings('node1', '10.90.0.12')).toBe(true);
    await labDown(OTHER);
    expect(await pings('node1', '10.90.0.12')).toBe(true);
  });
});

describe('the end of a lab', () => {
  it('is complete after a crash of anything, even without lab.json', async () => {
    await broken('node1', { kind: 'delay', network: 'control', direction: 'both', delayMs: 5 });
    const line = (await machine('switch')).components['delay-n1.control'];
    const lab = readLab(LAB);
    const images = lab.machines.map(({ folder }) => join(folder, 'disk.img')).filter(existsSync);
    const ends = [...lab.machines.flatMap(({ init }) => init ?? []), ...(line ? [line] : [])];
    expect(ends).toHaveLength(lab.machines.length + 1);
    for (const role of ['relay', 'control', 'node']) {
      const init = lab.machines.find((each) => each.role === role)?.init;
      if (init) sendSignal(init, 'SIGKILL');
    }
    writeFileSync(labFolder(LAB).stateFile, '{ half');
    expect(await labDown(LAB)).toBe(true);
    expect(ends.filter(isAlive)).toEqual([]);
    expect(processesWithEnvironment(`${MARKER}=${labFolder(LAB).path}`)).toEqual([]);
    expect(labCgroups(LAB)).toEqual([]);
    expect((await Promise.all(images.map(loopDevices))).flat()).toEqual([]);
    expect(readFileSync('/proc/self/mounts', 'utf8')).not.toContain(LAB);
    expect(existsSync(root)).toBe(false);
    expect(await labDown(LAB)).toBe(false);
  });
});

function up(name: string) {
  return labUp(name, OPTIONS, () => undefined);
}

function inside(name: string, ...command: readonly string[]) {
  return tryRun(insideCommand(machineOf(readLab(LAB), name), command));
}

async function pings(from: string, address: string): Promise<boolean> {
  return (await inside(from, 'ping', '-c', '1', '-W', '1', address)).code === 0;
}

/** From inside the namespace: the shortest of some pings, and the time from a TCP connect to the first word of the other side's sshd. */
async function roundTrip(from: string, address: string): Promise<{ pingMs: number; connectMs: number }> {
  const { stdout: pinged } = await inside(from, 'ping', '-c', '4', '-i', '0.2', '-W', '2', address);
  const talk = `begin=$EPOCHREALTIME; exec 3<>/dev/tcp/${address}/22; read -r _ <&3; end=$EPOCHREALTIME; echo $(( \${end/[.,]/} - \${begin/[.,]/} ))`;
  const { stdout: microseconds } = await inside(from, 'bash', '-c', talk);
  return { pingMs: Number(/= ([0-9.]+)\//.exec(pinged)?.[1] ?? Number.NaN), connectMs: Number(microseconds.trim() || Number.NaN) / 1_000 };
}

function broken(name: string, wish: Wish) {
  return changeLab(LAB, (lab) => breakMachine(lab, name, wish));
}

function healed(chosen: (each: Break) => boolean = () => true) {
  return changeLab(LAB, (lab) => healBreaks(lab, chosen));
}

async function machine(name: string): Promise<MachineStatus> {
  const found = (await labStatus(readLab(LAB))).machines.find((each) => each.name === name);
  if (found === undefined) throw new Error(`Cannot find machine ${name}`);
  return found;
}
