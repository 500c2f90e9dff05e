import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseMigrationId, parseVmid } from '../../../../src/domain/ids.js';
import { KeptVolumes } from '../../../../worker/node/offline/kept-volumes.js';

const vmid = parseVmid(101);
const [first, third] = [parseMigrationId('101-2').id, parseMigrationId('101-4').id];
let folder: string;
let kept: KeptVolumes;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-kept-'));
  kept = new KeptVolumes(folder);
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('the note of kept disks', () => {
  test('names each disk with the migration that kept it, once, over several migrations', async () => {
    await kept.add(vmid, ['local:101/a', 'local:101/b'], first);
    await kept.add(vmid, ['local:101/a', 'local:101/b'], first);
    await kept.add(vmid, ['local:101/c'], third);
    expect(await new KeptVolumes(folder).read(vmid)).toEqual([
      { volumeId: 'local:101/a', migrationId: first },
      { volumeId: 'local:101/b', migrationId: first },
      { volumeId: 'local:101/c', migrationId: third },
    ]);
  });

  test('ends with its last disk, and is not made for none', async () => {
    await kept.add(vmid, [], first);
    await kept.drop(vmid, ['local:101/a']);
    expect(readdirSync(folder)).toEqual([]);
    await kept.add(vmid, ['local:101/a'], first);
    await kept.drop(vmid, ['local:101/a']);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('that can not be read is not taken for empty', async () => {
    writeFileSync(join(folder, '101.kept.json'), '[{');
    await expect(kept.read(vmid)).rejects.toMatchObject({ code: 'storage-failed' });
    await expect(kept.add(vmid, ['local:101/a'], first)).rejects.toMatchObject({ code: 'storage-failed' });
  });
});
