import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectQmp } from '../../../../src/drivers/qmp/connect-qmp.js';

let folder: string;
let socketPath: string;
let qemu: ChildProcess;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-qmp-'));
  socketPath = join(folder, 'qmp');
  qemu = spawn('qemu-system-x86_64', ['-machine', 'none', '-nodefaults', '-display', 'none', '-qmp', `unix:${socketPath},server=on,wait=off`], {
    stdio: 'ignore',
  });
  await expect.poll(() => existsSync(socketPath), { timeout: 5_000 }).toBe(true);
});
afterEach(() => {
  qemu.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

it('a real QEMU answers commands, also out of band', async () => {
  const qmp = await connectQmp(socketPath);
  await expect(qmp.execute('query-version')).resolves.toMatchObject({ qemu: { major: expect.any(Number) } });
  await expect(qmp.executeOutOfBand('query-yank')).resolves.toContainEqual(expect.objectContaining({ type: 'chardev' }));
  await expect(qmp.executeOutOfBand('query-status')).rejects.toMatchObject({ code: 'qmp-error', details: { class: 'GenericError' } });
  qmp.close();
});

it('its whole schema fits into a line', async () => {
  const qmp = await connectQmp(socketPath);
  expect(JSON.stringify(await qmp.execute('query-qmp-schema')).length).toBeGreaterThan(100_000);
  qmp.close();
});

it('it refuses unknown commands and arguments by class', async () => {
  const qmp = await connectQmp(socketPath);
  await expect(qmp.execute('no-such-command')).rejects.toMatchObject({ code: 'qmp-error', details: { class: 'CommandNotFound', command: 'no-such-command' } });
  await expect(qmp.execute('query-status', { what: 1 })).rejects.toMatchObject({ code: 'qmp-error', details: { class: 'GenericError' } });
  qmp.close();
});

it('it serves one client at a time', async () => {
  const qmp = await connectQmp(socketPath);
  await expect(connectQmp(socketPath, { greetingTimeoutMs: 50 })).rejects.toMatchObject({ code: 'qmp-busy' });
  qmp.close();
});

it('it tells its end before the answer to quit, and that is success', async () => {
  const qmp = await connectQmp(socketPath);
  await qmp.execute('quit');
  await qmp.closed;
  expect(qmp.eventsSince(0).map(({ name, data }) => [name, data['reason']])).toContainEqual(['SHUTDOWN', 'host-qmp-quit']);
});

it('its death is the end of the connection', async () => {
  const qmp = await connectQmp(socketPath);
  qemu.kill('SIGKILL');
  await qmp.closed;
  await expect(qmp.execute('query-status')).rejects.toMatchObject({ code: 'qmp-disconnected', details: { sent: false } });
});
