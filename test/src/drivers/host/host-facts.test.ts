import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readBootId } from '../../../../src/drivers/host/boot-id.js';
import { readHostFacts } from '../../../../src/drivers/host/host-facts.js';

const GIB = 1024 ** 3;
let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kedge-facts-'));
  await put('proc/cpuinfo', 'processor\t: 0\nmodel name\t: Test CPU\nflags\t\t: fpu sse2 avx\n\nprocessor\t: 1\nmodel name\t: Test CPU\nflags\t\t: fpu\n');
  await put('proc/meminfo', `MemTotal:       ${(8 * GIB) / 1024} kB\nMemFree:        1 kB\nMemAvailable:   ${(6 * GIB) / 1024} kB\n`);
  await put('proc/loadavg', '0.75 0.50 0.25 1/100 1234\n');
  await put('sys/class/net/vmbr0/bridge/bridge_id', '');
  await put('sys/class/net/eth0/address', '');
});
afterEach(() => rm(root, { recursive: true }));

async function put(path: string, text: string): Promise<void> {
  await mkdir(join(root, path, '..'), { recursive: true });
  await writeFile(join(root, path), text);
}
const roots = () => ({ proc: join(root, 'proc'), sys: join(root, 'sys') });

describe('readHostFacts', () => {
  it('reads processor, memory, load and bridges', async () => {
    expect(await readHostFacts(roots())).toEqual({
      cpu: { model: 'Test CPU', flags: ['fpu', 'sse2', 'avx'], cores: 2 },
      memory: { totalBytes: 8 * GIB, availableBytes: 6 * GIB },
      load: 0.75,
      bridges: ['vmbr0'],
    });
  });

  it('is never larger than declared', async () => {
    const facts = await readHostFacts({ ...roots(), declared: { memoryBytes: 4 * GIB, cores: 1 } });
    expect(facts.memory).toEqual({ totalBytes: 4 * GIB, availableBytes: 4 * GIB });
    expect(facts.cpu.cores).toBe(1);
  });

  it.each([
    ['2', '0::/lab/node1\n', 'sys/fs/cgroup/lab/node1', { limit: 'memory.max', used: 'memory.current', stat: `inactive_file ${GIB}\n` }],
    [
      '1',
      '4:memory:/lab/node1\n0::/\n',
      'sys/fs/cgroup/memory/lab/node1',
      { limit: 'memory.limit_in_bytes', used: 'memory.usage_in_bytes', stat: `total_inactive_file ${GIB}\n` },
    ],
  ])('obeys the limit of a version %s cgroup and counts its use without cache', async (_version, own, folder, files) => {
    await put('proc/self/cgroup', own);
    await put(join(folder, files.limit), `${4 * GIB}\n`);
    await put(join(folder, files.used), `${3 * GIB}\n`);
    await put(join(folder, 'memory.stat'), files.stat);
    expect((await readHostFacts(roots())).memory).toEqual({ totalBytes: 4 * GIB, availableBytes: 2 * GIB });
  });

  it('takes no limit for no limit', async () => {
    await put('proc/self/cgroup', '0::/\n');
    await put('sys/fs/cgroup/memory.max', 'max\n');
    await put('sys/fs/cgroup/memory.current', '5\n');
    await put('sys/fs/cgroup/memory.stat', '\n');
    expect((await readHostFacts(roots())).memory.totalBytes).toBe(8 * GIB);
  });

  it('lets claims win', async () => {
    const facts = await readHostFacts({ ...roots(), claims: { memoryAvailable: 1, bridges: [], cpuFlags: ['fpu'] } });
    expect(facts).toMatchObject({ memory: { availableBytes: 1 }, bridges: [], cpu: { flags: ['fpu'] } });
  });

  it('reads this machine', async () => {
    const facts = await readHostFacts();
    expect(facts.memory.availableBytes).toBeGreaterThan(0);
    expect(facts.cpu.cores).toBeGreaterThan(0);
  });
});

describe('readBootId', () => {
  it('reads the kernel, and refuses a file that holds none', async () => {
    expect(await readBootId('/proc/sys/kernel/random/boot_id')).toMatch(/^[0-9a-f-]{36}$/);
    await put('boot-id', '\n');
    await expect(readBootId(join(root, 'boot-id'))).rejects.toMatchObject({ code: 'bad-config' });
    await expect(readBootId(join(root, 'missing'))).rejects.toMatchObject({ code: 'bad-config' });
  });
});
