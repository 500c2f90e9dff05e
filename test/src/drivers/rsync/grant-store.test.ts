import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { grantFile, listGrants, newGrantToken, revokeGrant, writeGrant } from '../../../../src/drivers/rsync/grant-store.js';

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kedge-grants-'));
  folder = join(root, 'rsync-grants');
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const grant = () => ({ token: newGrantToken(), peer: parseNodeName('node1'), kind: 'file', path: '/srv/disk' }) as const;

describe('the grants of a node', () => {
  it('are none before the first one', async () => {
    expect(await listGrants(folder)).toEqual({ grants: [], unreadable: [] });
    await revokeGrant(folder, newGrantToken());
  });

  it('are files that only root can read', async () => {
    const one = grant();
    await writeGrant(folder, one);
    expect(readdirSync(folder)).toEqual([`${one.token}.json`]);
    expect(statSync(folder).mode & 0o077).toBe(0);
    expect(statSync(grantFile(folder, one.token)).mode & 0o077).toBe(0);
    expect(await listGrants(folder)).toEqual({ grants: [one], unreadable: [] });
  });

  it('stay the same file when they are written again, and never become another grant', async () => {
    const one = grant();
    await writeGrant(folder, one);
    const { ino } = statSync(grantFile(folder, one.token));
    await writeGrant(folder, one);
    expect(statSync(grantFile(folder, one.token)).ino).toBe(ino);
    await expect(writeGrant(folder, { ...one, path: '/srv/other' })).rejects.toMatchObject({ code: 'already-exists' });
  });

  it('are named when they can not be read', async () => {
    const one = grant();
    await writeGrant(folder, one);
    writeFileSync(join(folder, 'x.json'), '{');
    expect(await listGrants(folder)).toEqual({ grants: [one], unreadable: ['x.json'] });
  });

  it('end with everyone who holds them, but for the process that asks', async () => {
    const one = grant();
    await writeGrant(folder, one);
    const descriptor = openSync(grantFile(folder, one.token), 'r');
    const program = 'require("node:child_process").spawn("sleep", ["100"], { stdio: ["ignore", "ignore", "ignore", 3] }); console.log("ready")';
    const holder = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit', descriptor] });
    const other = spawn('sleep', ['100']);
    try {
      await once(holder.stdout!, 'data');
      const ended = once(holder, 'exit');
      await revokeGrant(folder, one.token);
      await ended;
      expect(readdirSync(folder)).toEqual([]);
      expect(other.exitCode ?? other.signalCode).toBeNull();
    } finally {
      closeSync(descriptor);
      other.kill();
    }
  });

  it('can not be outside of their folder', () => {
    expect(() => grantFile(folder, '../../etc/passwd')).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });
});
