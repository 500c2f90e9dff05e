import { chmodSync, chownSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadFencingConfig } from '../../../src/config/load-fencing-config.js';

const GOOD = 'nodes:\n  node2: { agent: /usr/sbin/fence_ipmilan, parameters: { ip: 192.0.2.1, lanplus: true } }\n';
let etc: string;
let file: string;
const load = () => loadFencingConfig({ etc, state: etc, run: etc });
const write = (text: string, mode = 0o600): void => writeFileSync(file, text, { mode });

beforeEach(() => {
  etc = mkdtempSync(join(tmpdir(), 'kedge-fencing-'));
  file = join(etc, 'fencing.yaml');
});
afterEach(() => rmSync(etc, { recursive: true }));

describe('fencing.yaml', () => {
  it('may be absent', async () => {
    expect(await load()).toBeNull();
  });

  it.runIf(process.getuid?.() === 0)('names a device for each node', async () => {
    write(GOOD);
    expect(await load()).toEqual({
      nodes: { node2: { agent: '/usr/sbin/fence_ipmilan', timeoutSeconds: 60, parameters: { ip: '192.0.2.1', lanplus: 'true' } } },
    });
  });

  it.runIf(process.getuid?.() === 0).each([
    ['0042', '0042'],
    ['12345678901234567890', '12345678901234567890'],
    ['1e3', '1e3'],
    ['0x1F', '0x1F'],
    ['True', 'True'],
    [`'"a b "'`, '"a b "'],
    ['p=a#s', 'p=a#s'],
  ])('hands a parameter to the agent as it is written: %s', async (written, given) => {
    write(`nodes: { node2: { agent: /f, parameters: { password: ${written} } } }`);
    expect((await load())?.nodes['node2']?.parameters).toEqual({ password: given });
  });

  it.runIf(process.getuid?.() === 0)('is refused when others than root may read it, or it is no regular file', async () => {
    write(GOOD);
    chmodSync(file, 0o640);
    await expect(load()).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining('has the mode 640') });
    chmodSync(file, 0o600);
    chownSync(file, 65_534, 0);
    await expect(load()).rejects.toThrow('belongs to uid 65534');
    chownSync(file, 0, 0);
    renameSync(file, join(etc, 'elsewhere'));
    symlinkSync(join(etc, 'elsewhere'), file);
    await expect(load()).rejects.toThrow('is a symbolic link');
  });

  it.runIf(process.getuid?.() === 0).each([
    ['nodes: { node2: { agent: fence_ipmilan, parameters: {} } }', 'must be the absolute path'],
    ['nodes: { node2: { agent: /f, parameters: { ip: "1\\naction=on" } } }', 'must be one line'],
    ['nodes: { node2: { agent: /f, parameters: { action: on } } }', 'must not have "action"'],
    ['nodes: { node2: { agent: /f, parameters: { "a=b": c } } }', "must be a name of the agent's parameters"],
    ['nodes: { "no/de": { agent: /f, parameters: {} } }', 'must be a node name'],
  ])('is refused with the line and the reason: %s', async (text, reason) => {
    write(text);
    await expect(load()).rejects.toMatchObject({ code: 'bad-config', message: expect.stringContaining(reason) });
  });
});
