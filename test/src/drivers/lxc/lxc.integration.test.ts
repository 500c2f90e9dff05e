import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { isAlive } from '../../../../src/drivers/host/process-identity.js';
import { listVeths } from '../../../../src/drivers/host/veth.js';
import { containerProcesses } from '../../../../src/drivers/lxc/container-processes.js';
import { containerFiles, type ContainerRef } from '../../../../src/drivers/lxc/container-ref.js';
import type { ContainerStart } from '../../../../src/drivers/lxc/container-start.js';
import { readContainerEnding } from '../../../../src/drivers/lxc/container-ending.js';
import { killContainer } from '../../../../src/drivers/lxc/kill-container.js';
import { readContainer } from '../../../../src/drivers/lxc/read-container.js';
import { runLxc } from '../../../../src/drivers/lxc/run-lxc.js';
import { startContainer } from '../../../../src/drivers/lxc/start-container.js';
import { stopContainer } from '../../../../src/drivers/lxc/stop-container.js';
import { waitForContainerEnd } from '../../../../src/drivers/lxc/wait-for-container-end.js';
import { makeSmallRootfs, OBEDIENT_INIT, STUBBORN_INIT } from '../../../support/small-rootfs.js';

const VMID = 99_120;
const BRIDGE = `kl${process.pid}`;

let root: string;
let container: ContainerRef;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kedge-lxc-'));
  container = { lxcPath: join(root, 'lxc'), vmid: VMID };
  execFileSync('ip', ['link', 'add', BRIDGE, 'type', 'bridge']);
  execFileSync('ip', ['link', 'set', BRIDGE, 'up']);
});

afterEach(async () => {
  await killContainer(container);
  execFileSync('ip', ['link', 'delete', BRIDGE]);
  rmSync(root, { recursive: true });
});

function aContainer(init: string, changes: Partial<ContainerStart> = {}): ContainerStart {
  const rootfs = join(root, 'rootfs');
  makeSmallRootfs(rootfs, init);
  return {
    vmid: VMID,
    hostname: 'small',
    arch: 'x86_64',
    rootfs,
    mounts: [],
    nets: [],
    idmap: [],
    memory: { limitBytes: 64 << 20, swapBytes: null },
    cpu: { limit: 1, units: 512 },
    features: { nesting: false, fuse: false },
    raw: [],
    ...changes,
  };
}

const start = (init: string, changes?: Partial<ContainerStart>): ReturnType<typeof startContainer> =>
  startContainer(aContainer(init, changes), { lxcPath: container.lxcPath });
const console_ = (): string => readFileSync(containerFiles(container).console, 'utf8');
const monitorPid = (init: number): number => Number(/^PPid:\t(\d+)$/m.exec(readFileSync(`/proc/${init}/status`, 'utf8'))?.[1]);

async function consoleSays(text: string): Promise<void> {
  await expect.poll(console_, { timeout: 10_000 }).toContain(text);
}

describe('a container', () => {
  test('runs with its init, groups, network device and mounts, and is gone after a clean stop', async () => {
    const source = join(root, 'a folder');
    mkdirSync(source);
    const net = {
      index: 0,
      name: 'eth0',
      bridge: BRIDGE,
      hwaddr: 'BC:24:11:00:00:01',
      ip: '10.9.8.7/24',
      gw: null,
      ip6: null,
      gw6: null,
      vlan: null,
      mtu: 1400,
      linkDown: false,
    };
    const init = await start(`busybox ip addr show eth0\nbusybox hostname\nbusybox touch "/mnt/point/x" || echo read-only\n${OBEDIENT_INIT}`, {
      nets: [net],
      mounts: [{ source, target: '/mnt/point', readonly: true }],
    });
    await consoleSays('up');
    expect(await readContainer(container)).toEqual({ state: 'running', init });
    expect(await listVeths(VMID)).toEqual([{ name: `veth${VMID}i0`, bridge: BRIDGE }]);
    for (const said of ['bc:24:11:00:00:01', '10.9.8.7/24', 'mtu 1400', 'small', 'read-only']) expect(console_()).toContain(said);
    expect(readFileSync(`/proc/${init.pid}/cgroup`, 'utf8')).toMatch(new RegExp(`:/lxc\\.payload\\.[^/]*\\.${VMID}/ns$`, 'm'));

    expect(await stopContainer(container, { timeoutMs: 10_000 })).toBe('stopped');
    expect(console_()).toContain('down');
    expect(isAlive(init)).toBe(false);
    expect(await readContainer(container)).toEqual({ state: 'gone' });
    expect(await listVeths(VMID)).toEqual([]);
  });

  test('is no child of its starter: it has a monitor of its own session', async () => {
    const init = await start(OBEDIENT_INIT);
    const stat =
      readFileSync(`/proc/${monitorPid(init.pid)}/stat`, 'utf8')
        .split(') ')[1]
        ?.split(' ') ?? [];
    expect(Number(stat[1])).not.toBe(process.pid);
    expect(Number(stat[3])).toBe(monitorPid(init.pid));
  });

  test('that does not hear the request is never killed by a stop, and is by a kill', async () => {
    const init = await start(STUBBORN_INIT);
    await consoleSays('up');
    expect(await stopContainer(container, { timeoutMs: 1_000 })).toBe('late');
    expect(await readContainer(container)).toEqual({ state: 'running', init });
    await killContainer(container);
    expect(isAlive(init)).toBe(false);
    expect(await readContainer(container)).toEqual({ state: 'gone' });
  });

  test('is not started a second time', async () => {
    const init = await start(OBEDIENT_INIT);
    const again = startContainer({ ...aContainerAgain(), hostname: 'other' }, { lxcPath: container.lxcPath });
    await expect(again).rejects.toMatchObject({ code: 'guest-state' });
    expect(await readContainer(container)).toEqual({ state: 'running', init });
  });

  test('whose monitor was killed is gone, leaves groups behind, and starts again all the same', async () => {
    const init = await start(OBEDIENT_INIT);
    const ended = waitForContainerEnd(container);
    process.kill(monitorPid(init.pid), 'SIGKILL');
    expect(await ended).toBe(true);
    expect(await readContainer(container)).toEqual({ state: 'gone' });
    const again = await startContainer(aContainerAgain(), { lxcPath: container.lxcPath });
    expect(await readContainer(container)).toEqual({ state: 'running', init: again });
  });

  test('that is frozen says so, and is not gone', async () => {
    const init = await start(OBEDIENT_INIT);
    await runLxc('lxc-freeze', container);
    expect(await readContainer(container)).toEqual({ state: 'frozen', init });
    await runLxc('lxc-unfreeze', container);
    expect(await readContainer(container)).toEqual({ state: 'running', init });
  });

  test('that is being started by a process of a dead worker is not taken for gone, and a kill ends that too', async () => {
    // A start hook holds LXC in the middle of its start. It gets words of LXC's as arguments.
    const hook = join(root, 'hook');
    writeFileSync(hook, `#!/bin/sh\nwhile [ -e ${hook} ]; do sleep 0.1; done\n`, { mode: 0o755 });
    const raw = [`lxc.hook.pre-start = ${hook}`];
    const starter = start(OBEDIENT_INIT, { raw });
    starter.catch(() => undefined);
    await expect.poll(() => containerProcesses(container).length, { timeout: 10_000 }).toBeGreaterThan(0);
    await expect.poll(() => readContainer(container), { timeout: 10_000 }).toMatchObject({ state: 'unreachable' });
    await killContainer(container);
    await expect(starter).rejects.toMatchObject({ code: 'lxc-start-failed' });
    expect(containerProcesses(container)).toEqual([]);
  });
});

describe('waitForContainerEnd()', () => {
  test('ends with the container', async () => {
    await start(`trap 'exit 0' PWR\nbusybox sleep 1`);
    expect(await waitForContainerEnd(container)).toBe(true);
    expect(await readContainer(container)).toEqual({ state: 'gone' });
  });

  test('gives up when it is told to, and leaves the container alone', async () => {
    const init = await start(OBEDIENT_INIT);
    expect(await waitForContainerEnd(container, { signal: AbortSignal.timeout(200) })).toBe(false);
    expect(await readContainer(container)).toEqual({ state: 'running', init });
  });
});

describe('startContainer()', () => {
  test.each([
    [
      'a bridge that does not exist',
      {
        nets: [{ index: 0, name: 'eth0', bridge: 'nobridge', hwaddr: null, ip: null, gw: null, ip6: null, gw6: null, vlan: null, mtu: null, linkDown: false }],
      },
      /nobridge/,
    ],
    ['a line that LXC does not know', { raw: ['lxc.nonsense = 1'] }, /lxc\.nonsense/],
    ['an init that is not there', { raw: ['lxc.init.cmd = /sbin/missing'] }, /missing/],
  ])('names %s', async (_, changes, reason) => {
    await expect(start(OBEDIENT_INIT, changes)).rejects.toMatchObject({ code: 'lxc-start-failed', message: expect.stringMatching(reason) });
    expect(await readContainer(container)).toEqual({ state: 'gone' });
    expect(await listVeths(VMID)).toEqual([]);
  });

  test('says what an init said that ended at once', async () => {
    await expect(start('echo no disk today; exit 3')).rejects.toMatchObject({ code: 'lxc-start-failed', message: expect.stringContaining('no disk today') });
  });

  test('that failed is no container that has shut itself down, also when its init ended well', async () => {
    await expect(start('exit 0')).rejects.toMatchObject({ code: 'lxc-start-failed' });
    expect(await readContainerEnding(container)).toBe('unknown');
  });
});

/** The same container once its root file system is there. */
function aContainerAgain(): ContainerStart {
  rmSync(join(root, 'rootfs'), { recursive: true });
  return aContainer(OBEDIENT_INIT);
}
