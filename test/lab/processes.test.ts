import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { commandOf, identify, isAlive, processesWithEnvironment, sendSignal, waitUntil } from '../../lab/processes.js';

describe('a process', () => {
  it('is known by pid and start time, and dead once it ended', async () => {
    const child = spawn('sleep', ['60']);
    await once(child, 'spawn');
    const identity = identify(child.pid ?? 0);
    expect(identity?.pid).toBe(child.pid);
    if (identity === undefined) return;
    expect(isAlive(identity)).toBe(true);
    expect(commandOf(identity.pid)).toEqual(['sleep', '60']);
    expect(sendSignal(identity, 'SIGKILL')).toBe(true);
    await once(child, 'close');
    expect(isAlive(identity)).toBe(false);
    expect(sendSignal(identity, 'SIGKILL')).toBe(false);
  });

  it('of the same pid but another start time is never signalled', () => {
    expect(sendSignal({ pid: process.pid, startTime: 1 }, 'SIGKILL')).toBe(false);
  });

  it('is found by a mark in its environment, whole entries only', async () => {
    const mark = `KEDGE_TEST_MARK=${process.pid}`;
    const child = spawn('sleep', ['60'], { env: { ...process.env, KEDGE_TEST_MARK: String(process.pid) } });
    await once(child, 'spawn');
    expect(processesWithEnvironment(mark).map(({ pid }) => pid)).toEqual([child.pid]);
    expect(processesWithEnvironment(mark.slice(0, -1))).toEqual([]);
    child.kill('SIGKILL');
    await once(child, 'close');
  });
});

describe('waiting', () => {
  it('ends with what it waited for, in words', async () => {
    await expect(waitUntil('the end of time', () => false, { timeoutMs: 1 })).rejects.toThrow('the end of time did not happen within 1 ms');
  });
});
