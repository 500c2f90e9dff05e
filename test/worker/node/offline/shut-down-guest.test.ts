import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseNodeName } from '../../../../src/domain/ids.js';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../../src/domain/migration.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { shutDownGuest } from '../../../../worker/node/offline/shut-down-guest.js';
import { configuredNode } from '../../../support/configured-node.js';
import { stepOf, VMID } from '../../../support/receiving-node.js';

const TARGET = parseNodeName('node2');
let node: NodeContext;
let remove: () => void;
beforeEach(async () => {
  ({ node, remove } = await configuredNode({}));
  const base = { vmid: VMID, kind: 'qemu', generation: stepOf(1).generation, wanted: 'running', bootId: node.bootId } as const;
  await node.records.write({ ...base, state: 'owned', migrationId: stepOf(2).migrationId, peer: TARGET, mode: 'offline' });
});
afterEach(() => {
  remove();
});

const shutDown = (attempt = 1): ReturnType<typeof shutDownGuest> => {
  const options = { ...DEFAULT_MIGRATION_OPTIONS, restart: true };
  return shutDownGuest(node, { step: stepOf(2), target: TARGET, options, attempt, signal: new AbortController().signal, report: () => undefined });
};

describe('a guest that is off when it is to be shut down', () => {
  test('is taken as it is, and said to have been off', async () => {
    expect(await shutDown()).toEqual({ offAt: expect.any(String), foundOff: true });
    expect(await node.records.read(VMID)).toMatchObject({ record: { state: 'releasing', wanted: 'running' } });
  });

  test('after an earlier attempt has told it to has obeyed', async () => {
    await node.shutdowns.begin(VMID);
    expect(await shutDown(2)).toEqual({ offAt: expect.any(String) });
    expect(await shutDown(3)).toEqual({ offAt: expect.any(String) });
  });
});
