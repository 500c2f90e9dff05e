import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findConfig } from '../../../src/cli/find-config.js';

let root: string;
let environment: Record<string, string>;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'kedge-find-'));
  environment = { KEDGE_ETC: join(root, 'etc'), KEDGE_LAB_ROOT: join(root, 'labs') };
});
afterEach(() => rm(root, { recursive: true }));

async function put(...path: string[]): Promise<string> {
  const file = join(root, ...path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, 'cluster: test\n');
  return file;
}

test('takes the option before the environment, the named lab, the system and the only lab', async () => {
  const lab = await put('labs', 'one', 'kedge.yaml');
  expect(await findConfig({}, environment)).toBe(lab);
  const system = await put('etc', 'kedge.yaml');
  expect(await findConfig({}, environment)).toBe(system);
  expect(await findConfig({}, { ...environment, KEDGE_LAB: 'one' })).toBe(lab);
  const named = await put('named.yaml');
  expect(await findConfig({}, { ...environment, KEDGE_LAB: 'one', KEDGE_CONFIG: named })).toBe(named);
  const option = await put('option.yaml');
  expect(await findConfig({ config: option }, { ...environment, KEDGE_CONFIG: named })).toBe(option);
});

test('does not look further when a named file is missing', async () => {
  await put('etc', 'kedge.yaml');
  await expect(findConfig({ config: '/nowhere.yaml' }, environment)).rejects.toThrow('Cannot read --config: there is no file "/nowhere.yaml"');
  await expect(findConfig({}, { ...environment, KEDGE_LAB: 'two' })).rejects.toThrow('Cannot read KEDGE_LAB');
});

test('does not choose between two labs, and says so when there is none', async () => {
  await expect(findConfig({}, environment)).rejects.toThrow('Cannot find a cluster');
  await put('labs', 'one', 'kedge.yaml');
  await put('labs', 'two', 'kedge.yaml');
  await expect(findConfig({}, environment)).rejects.toThrow('Cannot choose a lab: there are one, two');
});
