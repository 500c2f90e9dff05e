/** Against a program that reads its parameters as the library of fence-agents 4.12.1 does: see test/support/real-agent.sh. */
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fenceNode } from '../../../../src/drivers/fence/fence-node.js';
import { lookAtDevice } from '../../../../src/drivers/fence/look-at-device.js';

let folder: string;
let agent: string;
let state: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-look-'));
  agent = join(folder, 'fence_real');
  state = join(folder, 'state');
  copyFileSync(new URL('../../../support/real-agent.sh', import.meta.url), agent);
  chmodSync(agent, 0o755);
  writeFileSync(state, 'on');
});
afterEach(() => rmSync(folder, { recursive: true }));

const device = (parameters: Record<string, string> = {}) => ({
  agent,
  timeoutSeconds: 5,
  parameters: { status_file: state, password: 'p=a#s', ...parameters },
});

describe('a look at a device', () => {
  test('tells power and what the agent knows, and switches nothing', async () => {
    expect(await lookAtDevice(device())).toMatchObject({ program: null, power: 'on', facts: { isFabric: false, actions: ['on', 'off', 'reboot', 'status'] } });
    expect(readFileSync(state, 'utf8')).toBe('on');
    expect(await fenceNode(device())).toEqual({ off: true });
    expect(await lookAtDevice(device())).toMatchObject({ power: 'off' });
  });

  test('shows what agents do to values: blanks at the end and outer quotes go, all else stays', async () => {
    const received = async (password: string): Promise<string> => {
      await lookAtDevice(device({ password, dump: join(folder, 'dump') }));
      return readFileSync(join(folder, 'dump'), 'utf8');
    };
    expect(await received('p=a#s "q" $x')).toBe('p=a#s "q" $x\n');
    expect(await received('end ')).toBe('end\n');
    expect(await received('"end "')).toBe('end \n');
  });

  test('tells of a misspelt parameter without its value, and what the agent says when it can not log in', async () => {
    const { power, said } = await lookAtDevice(device({ password: 'wrong!', pasword: 'hunter2' }));
    expect(power).toBe('unknown');
    expect(said).toBe("it ended with exit code 1: Parse error: Ignoring unknown option 'pasword=…'; Unable to connect/login to fencing device");
  });

  test('tells what is wrong with the program', async () => {
    chmodSync(agent, 0o777);
    expect(await lookAtDevice(device())).toMatchObject({
      power: 'on',
      program: { severity: 'warning', message: expect.stringContaining('others than root may change') },
    });
    chmodSync(agent, 0o644);
    expect(await lookAtDevice(device())).toMatchObject({ power: 'unknown', program: { message: expect.stringContaining('is not executable') } });
    expect(await lookAtDevice({ ...device(), agent: folder })).toMatchObject({ program: { message: expect.stringContaining('is no file') } });
    rmSync(agent);
    expect(await lookAtDevice(device())).toMatchObject({ program: { severity: 'error', remedy: expect.stringContaining('apt-get install fence-agents') } });
    expect(existsSync(join(folder, 'dump'))).toBe(false);
  });
});
