import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MigrationRef } from '../../src/client/migration-view.js';
import { parseNodeName, parseVmid } from '../../src/domain/ids.js';
import { ADMISSION_ID, guestCommandWorkflowId, nodeWorkflowId } from '../../src/domain/workflow-names.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';
import { recordHistory } from '../support/record-history.js';
import { summaryOf } from '../support/summary-of.js';

const VMID = parseVmid(107);
const MIB = 2 ** 20;
/** Slow enough that something can be done to the copy while it runs. */
const SLOWLY = { bandwidthLimit: 8 * MIB };

/** Run by a person, with KEDGE_RECORD_HISTORIES=1, when a shape is new (docs/testing.md); the replay test runs always. */
describe.runIf(process.env['KEDGE_RECORD_HISTORIES'] === '1')('recording histories of a lab', () => {
  let world: LabWorld;
  let client: Client;
  let source = 'node1';
  let target = 'node2';

  beforeAll(async () => {
    world = await openLabWorld({ name: 'record', nodes: 2 });
    await world.createWitness({ vmid: VMID, dirtyRate: MIB }, source);
    client = new Client({ connection: await Connection.connect({ address: world.lab().temporal.hostAddress }) });
  });
  afterAll(async () => {
    await client.connection.close();
    await world.close();
  });

  it('a migration', async () => {
    await recordEnd(await world.migrate(VMID, target), { name: 'lab-migrated', outcome: 'migrated' });
  });

  it('one that is held and released', async () => {
    const ref = await world.migrate(VMID, target, { hold: true });
    await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
    await world.kedge.releaseMigration(ref);
    await recordEnd(ref, { name: 'lab-held-and-released', outcome: 'migrated' });
  });

  it('one whose target QEMU is killed', async () => {
    const ref = await copySlowly();
    const pid = world.qemuPid(target, VMID);
    if (pid === null) throw new Error('The target has no QEMU');
    process.kill(pid, 'SIGKILL');
    await recordEnd(ref, { name: 'lab-target-qemu-killed', outcome: 'rolled-back' });
  });

  it('one whose control worker is killed in the middle', async () => {
    const ref = await copySlowly();
    await world.break('control', { kind: 'kill', target: 'control' });
    await recordEnd(ref, { name: 'lab-control-worker-killed', outcome: 'migrated' });
  });

  it('one whose source worker is killed in the middle', async () => {
    const ref = await copySlowly();
    await world.break(source, { kind: 'kill', target: 'worker' });
    await recordEnd(ref, { name: 'lab-source-worker-killed', outcome: 'migrated' });
  });

  it('a guest verb, and the entities that have served all of this', async () => {
    await world.kedge.manageGuest({ node: parseNodeName(source), command: { verb: 'stop', vmid: VMID } });
    await recordHistory(client, { workflowId: guestCommandWorkflowId(VMID, 'stop'), name: 'lab-guest-stopped' });
    await recordHistory(client, { workflowId: nodeWorkflowId(parseNodeName(source)), name: 'lab-node' });
    await recordHistory(client, { workflowId: ADMISSION_ID, name: 'lab-admission' });
  });

  async function copySlowly(): Promise<MigrationRef> {
    const ref = await world.migrate(VMID, target, SLOWLY);
    await world.watch(ref, 'bytes sent', ({ progress }) => (progress?.bytesSent ?? 0) > 0);
    return ref;
  }

  /** Only what went as it was meant to go is kept. */
  async function recordEnd(ref: MigrationRef, { name, outcome }: { name: string; outcome: string }): Promise<void> {
    expect(summaryOf(await world.ended(ref))).toMatchObject({ outcome });
    await recordHistory(client, { workflowId: ref.workflowId, name });
    if (outcome === 'migrated') [source, target] = [target, source];
  }
});
