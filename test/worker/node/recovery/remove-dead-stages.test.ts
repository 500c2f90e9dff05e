import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stageFile } from '../../../../src/drivers/host/durable-file.js';
import { removeDeadStages } from '../../../../worker/node/recovery/remove-dead-stages.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'kedge-stages-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

const FOLDERS = ['state/records', 'state/journal', 'etc/qemu-server', 'etc/lxc'];

test('a dead worker leaves no stage in any folder that workers write durably, and what this one still holds stays', async () => {
  const paths = { etc: join(root, 'etc'), state: join(root, 'state'), run: join(root, 'run') };
  const held: string[] = [];
  for (const folder of FOLDERS) {
    const file = join(root, folder, '101.claim.json');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, 'in force');
    writeFileSync(join(root, folder, '.101.claim.json.abe3160c0cf0.stage'), 'never in force');
    writeFileSync(join(root, folder, '.101.notes.stage'), "an operator's");
    held.push((await stageFile(file, 'will be in force')).path);
  }
  await removeDeadStages({ paths });
  for (const folder of FOLDERS) {
    const names = readdirSync(join(root, folder));
    expect(names).toHaveLength(3);
    expect(names).toEqual(expect.arrayContaining(['101.claim.json', '.101.notes.stage']));
    expect(names).not.toContain('.101.claim.json.abe3160c0cf0.stage');
  }
  expect(held).toHaveLength(FOLDERS.length);
});

test('a node that has none of the folders yet has nothing to remove', async () => {
  await expect(removeDeadStages({ paths: { etc: join(root, 'no'), state: join(root, 'no'), run: join(root, 'no') } })).resolves.toBeUndefined();
});
