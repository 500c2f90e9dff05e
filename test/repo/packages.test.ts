import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';

const Versions = z.record(z.string(), z.string());
const Manifest = z.object({ scripts: Versions, dependencies: Versions, devDependencies: Versions });
const Entry = z.object({ version: z.string().optional(), resolved: z.string().optional(), optionalDependencies: Versions.optional() });
const Lock = z.object({ packages: z.record(z.string(), Entry) });

const manifest = Manifest.parse(JSON.parse(readFileSync('package.json', 'utf8')));
const lock = Lock.parse(JSON.parse(readFileSync('package-lock.json', 'utf8')));

describe('packages', () => {
  it('are pinned to one version each', () => {
    const all = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
    expect(all.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([]);
  });

  it('of Temporal all have the same version', () => {
    const versions = Object.entries(manifest.dependencies).filter(([name]) => name.startsWith('@temporalio/'));
    expect(new Set(versions.map(([, version]) => version)).size).toBe(1);
  });

  it('are locked without the address of a registry', () => {
    expect(Object.entries(lock.packages).filter(([, entry]) => entry.resolved !== undefined)).toEqual([]);
  });

  it('are locked for every platform, as npm ci demands (else run tools/complete-lockfile.mjs)', () => {
    const present = new Set(Object.keys(lock.packages).map((path) => path.replace(/^.*node_modules\//, '')));
    const missing = Object.values(lock.packages).flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}).filter((name) => !present.has(name)));
    expect(missing).toEqual([]);
  });

  it('of Debian are listed one a line, each once', () => {
    const names = readFileSync('tools/packages.txt', 'utf8').trimEnd().split('\n');
    expect(names.filter((name) => !/^[a-z0-9][a-z0-9.+-]+$/.test(name))).toEqual([]);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  });
});
