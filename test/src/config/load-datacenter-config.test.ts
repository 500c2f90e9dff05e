import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadDatacenterConfig } from '../../../src/config/load-datacenter-config.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'kedge-datacenter-'));
});
afterEach(() => rm(folder, { recursive: true }));

describe('loadDatacenterConfig', () => {
  test('reads what the file says', async () => {
    const file = join(folder, 'datacenter.cfg');
    await writeFile(file, 'migration: insecure,network=10.1.0.0/16\nbwlimit: migration=2048\n');
    expect(await loadDatacenterConfig(file)).toMatchObject({
      migration: { type: 'insecure', network: '10.1.0.0/16' },
      bandwidthLimits: { migration: 2_048 },
    });
  });

  test('takes an absent file for an empty one', async () => {
    expect(await loadDatacenterConfig(join(folder, 'datacenter.cfg'))).toMatchObject({ migration: { type: null, network: null }, bandwidthLimits: null });
  });

  test('names the line of a bad value, and a file that is none', async () => {
    const file = join(folder, 'datacenter.cfg');
    await writeFile(file, 'max_workers: 4\nmigration: fast\n');
    await expect(loadDatacenterConfig(file)).rejects.toMatchObject({ code: 'bad-config', details: { line: 2 } });
    await expect(loadDatacenterConfig(folder)).rejects.toMatchObject({ code: 'bad-config', details: { file: folder } });
  });
});
