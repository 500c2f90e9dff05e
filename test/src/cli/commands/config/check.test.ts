import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runFake, type FakeCli } from '../../fake-cluster.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-config-check-'));
});
afterEach(() => rm(folder, { recursive: true }));

async function file(name: string, contents: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, contents);
  return path;
}

const check = (...words: readonly string[]): Promise<FakeCli> => runFake(['config', 'check', ...words]);

describe('kedge config check', () => {
  it('says of each right file what it is, by its path or by what stands in it', async () => {
    const vm = await file('qemu-server/101.conf', 'memory: 512\n');
    const container = await file('lxc/200.conf', 'memory: 512\n');
    const guessed = await file('some.conf', 'rootfs: local:1/a.raw\nhostname: a\n');
    const storage = await file('storage.cfg', 'dir: local\n\tpath /a\n');
    const datacenter = await file('datacenter.cfg', 'max_workers: 3\n');
    const result = await check(vm, container, guessed, storage, datacenter);
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(result.out.split('\n').map((line) => line.replace(`${folder}/`, ''))).toEqual([
      'qemu-server/101.conf: vm config, right',
      'lxc/200.conf: ct config, right',
      'some.conf: ct config, right',
      'storage.cfg: storage config, right',
      'datacenter.cfg: datacenter config, right',
      '',
    ]);
  });

  it('names every mistake of every file with line and column, and fails', async () => {
    const first = await file('qemu-server/101.conf', 'cores: x\nnet0: virtio=1,tag=0\n');
    const second = await file('storage.cfg', 'dir: local\n\tshared yes\n');
    const result = await check(first, second);
    expect(result).toMatchObject({ exitCode: 2, out: '' });
    expect(result.err.split('\n')).toEqual([
      `${first}:1:8: cores is "x", must be a whole number from 1`,
      `${first}:2:14: net0: macaddr is "1", must be a unicast MAC address like BC:24:11:00:00:01`,
      `${first}:2:20: net0: tag is "0", must be a whole number from 1 to 4094`,
      `${second}:1:1: storage "local" of type dir needs path`,
      `${second}:2:9: shared is "yes", must be 0 or 1`,
      '',
    ]);
  });

  it('counts characters, not bytes and not halves of them', async () => {
    const path = await file('qemu-server/101.conf', 'net0: bridge=😀ü,tag=0,model=virtio\n');
    expect((await check(path)).err).toContain(`${path}:1:21: net0: tag is "0"`);
  });

  it('shows control characters, it does not send them to the terminal', async () => {
    const path = await file('qemu-server/101.conf', 'no\u001b[31mred\u009b\n');
    expect((await check(path)).err).toBe(`${path}:1:1: "no\\x1b[31mred\\x9b" is no "key: value"\n`);
  });

  it('does not fail for what is unknown, but says so', async () => {
    const path = await file('qemu-server/101.conf', 'future: 1\n');
    const result = await check(path);
    expect(result).toMatchObject({ exitCode: 0, err: `${path}:1:1: warning: key "future" is unknown, it is kept as it is\n` });
    expect(result.out).toBe(`${path}: vm config, right, 1 warning\n`);
  });

  it('prints what PVE would write, of several files under their names, of wrong ones nothing', async () => {
    const first = await file('a.conf', 'scsihw: lsi\nonboot: yes\nmemory: 512\n');
    const wrong = await file('qemu-server/b.conf', 'cores: x\n');
    expect(await check('--print', first)).toMatchObject({ exitCode: 0, out: 'memory: 512\nonboot: 1\nscsihw: lsi\n' });
    expect(await check('--print', first, wrong)).toMatchObject({ exitCode: 2, out: `==> ${first} <==\nmemory: 512\nonboot: 1\nscsihw: lsi\n` });
  });

  it('gives what the files say as JSON', async () => {
    const vm = await file(
      'qemu-server/101.conf',
      '#Gr%C3%BC%C3%9Fe\nagent: 1\nnet0: virtio=BC:24:11:00:00:01,tag=5\ntags: a;b\n[PENDING]\ncores: 2\n[s1]\nsnaptime: 7\n',
    );
    const storage = await file('storage.cfg', 'dir: local\n\tpath /a\n\tdisable\n\tcontent iso,images\n');
    const wrong = await file('qemu-server/102.conf', 'cores: x\n');
    const result = await check('--json', vm, storage, wrong);
    expect(result.exitCode).toBe(2);
    expect(JSON.parse(result.out)).toEqual([
      {
        file: vm,
        kind: 'vm',
        problems: [],
        config: {
          description: 'Grüße',
          values: { agent: { enabled: true }, net0: { model: 'virtio', macaddr: 'BC:24:11:00:00:01', tag: 5 }, tags: ['a', 'b'] },
          pending: { description: null, values: { cores: 2 } },
          special: {},
          snapshots: { s1: { description: null, values: { snaptime: 7 } } },
        },
      },
      {
        file: storage,
        kind: 'storage',
        problems: [],
        config: [{ type: 'dir', id: 'local', values: { path: '/a', disable: true, content: ['iso', 'images'] } }],
      },
      { file: wrong, kind: 'vm', problems: [{ severity: 'error', line: 1, column: 8, message: 'cores is "x", must be a whole number from 1' }], config: null },
    ]);
  });

  it('goes on after a file that it can not read or place', async () => {
    const latin = await file('qemu-server/101.conf', Buffer.from('memory: 512\nciuser: M\xfcller\n', 'latin1'));
    const either = await file('either.conf', 'memory: 512\n');
    const right = await file('lxc/1.conf', 'memory: 512\n');
    const result = await check(join(folder, 'none.conf'), latin, either, right);
    expect(result.exitCode).toBe(2);
    expect(result.err.split('\n')).toEqual([
      expect.stringMatching(/none\.conf:1:1: cannot be read: ENOENT/),
      `${latin}:2:10: is not UTF-8 from here on: write other signs percent-encoded, or save the file as UTF-8`,
      `${either}:1:1: nothing tells what kind of config this is, say it with --kind vm|ct|storage|datacenter`,
      '',
    ]);
    expect(result.out).toBe(`${right}: ct config, right\n`);
    expect(await check('--kind', 'vm', either)).toMatchObject({ exitCode: 0, out: `${either}: vm config, right\n` });
  });

  it('refuses what it does not know', async () => {
    const path = await file('a.conf', 'memory: 512\n');
    expect(await check('--kind', 'pod', path)).toMatchObject({ exitCode: 2, out: '' });
    expect(await check('--print', '--json', path)).toMatchObject({ exitCode: 2 });
    expect(await check()).toMatchObject({ exitCode: 2 });
  });
});
