import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PreparedTarget } from '../../../../activities/interface.js';
import type { LongCall } from '../../../../activities/node/node-service.js';
import { claimsFile } from '../../../../src/config/paths.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { DEFAULT_MIGRATION_OPTIONS } from '../../../../src/domain/migration.js';
import { setBandwidth } from '../../../../src/drivers/qemu/migration-commands.js';
import { createNodeService } from '../../../../worker/node/create-node-service.js';
import { lookAtGuest } from '../../../../worker/node/guests/look-at-guest.js';
import { NODE1, NODE2, startTwoNodes, STEP, VMID, type TwoNodes } from '../../../support/two-nodes.js';

const OPTIONS = { ...DEFAULT_MIGRATION_OPTIONS, type: 'insecure' } as const;
let nodes: TwoNodes;
let sequence = 0;
beforeEach(async () => {
  sequence = 0;
  nodes = await startTwoNodes();
});
afterEach(() => nodes.close());

const nextStep = () => ({ ...STEP, sequence: (sequence += 1) });

/** Another build of the target's worker takes over. */
async function updateTarget(claims: string): Promise<void> {
  writeFileSync(claimsFile(nodes.target.paths), claims);
  await nodes.restart('target');
}

async function prepare(): Promise<PreparedTarget> {
  const claim = await createNodeService(nodes.source).claimGuest({ step: nextStep(), target: NODE2 }, { attempt: 1 });
  const request = { source: NODE1, config: claim.config, wanted: claim.wanted, runningMachine: null, sourceQemu: '7.2.22', options: OPTIONS };
  return createNodeService(nodes.target).prepareTarget({ step: nextStep(), ...request }, { attempt: 1 });
}

function copy(prepared: PreparedTarget, call: Partial<LongCall> & { readonly bandwidthLimit?: number } = {}): Promise<unknown> {
  const { bandwidthLimit = null, ...rest } = call;
  return createNodeService(nodes.source).copyAndSwitchOver(
    { step: nextStep(), target: NODE2, prepared, options: { ...OPTIONS, bandwidthLimit }, deadline: null },
    { attempt: 1, signal: new AbortController().signal, report: () => undefined, ...rest },
  );
}

async function states(): Promise<{ source: string; target: string }> {
  return { source: (await lookAtGuest(nodes.source, VMID)).view.qemu, target: (await lookAtGuest(nodes.target, VMID)).view.qemu };
}

describe('a target whose worker was replaced by another build', () => {
  test('takes the guest when it still speaks the protocol of the source', async () => {
    const prepared = await prepare();
    await updateTarget('kedgeProtocol: 2\nkedgeProtocolOldest: 1\n');
    await copy(prepared);
    expect(await states()).toEqual({ source: 'postmigrate', target: 'running' });
  });

  test('is sent no memory when it does not: the guest runs on, and the error names both versions', async () => {
    const prepared = await prepare();
    await updateTarget('kedgeProtocol: 2\n');
    await expect(copy(prepared)).rejects.toMatchObject({
      code: 'stream-failed',
      message: /Kedge on node1 speaks version 1 of the protocol between nodes, node2 speaks 2$/,
    });
    expect((await states()).source).toBe('running');
  });

  test('in the middle of the copy is not handed the guest: it stays, and nobody waits', async () => {
    const prepared = await prepare();
    const leave = new AbortController();
    const first = copy(prepared, {
      signal: leave.signal,
      bandwidthLimit: 2 ** 20,
      report: () => leave.abort(new KedgeError('worker-stopping', 'The worker ends')),
    });
    await expect(first).rejects.toMatchObject({ code: 'worker-stopping' });
    await updateTarget('kedgeProtocol: 2\n');
    // The second attempt does not reach it before the pause.
    nodes.cuts.set('hello', 'before');
    const qmp = await nodes.source.monitors.of(VMID);
    const goOn = (): void => {
      if (nodes.cuts.delete('hello')) void setBandwidth(qmp, 0);
    };
    await expect(copy(prepared, { attempt: 2, report: goOn })).rejects.toMatchObject({
      code: 'rolled-back',
      message: /^Cannot hand guest 901 over: it stays here\. Cannot work with node node2: Kedge on node1 speaks version 1 .*, node2 speaks 2$/,
    });
    expect(await states()).toEqual({ source: 'running', target: 'gone' });
  });
});
