import { describe, expect, it } from 'vitest';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { getPriority } from 'node:os';
import { hasStuckStream, setStreamNiceness } from '../../../../src/drivers/qemu/stream-thread.js';

/** A process that looks like a QEMU with (or without) the thread of a stream: it names its main thread itself. */
async function processNamed(comm: string): Promise<{ pid: number; end: () => void }> {
  const child = spawn('sh', ['-c', `printf ${comm} > /proc/$$/comm; echo named; read _`], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  if (child.pid === undefined) throw new Error('sh did not start');
  return { pid: child.pid, end: () => child.stdin.end() };
}

describe('the niceness of a stream', () => {
  it('is that of its thread alone', async () => {
    const { pid, end } = await processNamed('live_migration');
    expect(setStreamNiceness(pid, 7)).toBe(true);
    expect(getPriority(pid)).toBe(7);
    end();
  });

  it('is nobody’s when there is no such thread', async () => {
    const { pid, end } = await processNamed('qemu-main');
    expect(setStreamNiceness(pid, 7)).toBe(false);
    expect(getPriority(pid)).toBe(0);
    end();
  });
});

describe('a stuck stream', () => {
  it('is seen by the thread that QEMU has not ended', async () => {
    const { pid, end } = await processNamed('live_migration');
    expect(await hasStuckStream(pid)).toBe(true);
    end();
  });

  it('is not there when no such thread is, or it ends within a moment', async () => {
    const other = await processNamed('qemu-main');
    expect(await hasStuckStream(other.pid)).toBe(false);
    other.end();
    const { pid, end } = await processNamed('live_migration');
    setTimeout(end, 100);
    expect(await hasStuckStream(pid)).toBe(false);
  });

  it('is not there when the process has ended', async () => {
    expect(await hasStuckStream(2 ** 22 - 1)).toBe(false);
  });
});
