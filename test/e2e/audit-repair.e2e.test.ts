/** Everything that `kedge audit` must find, planted by hand in one lab: seen, left alone, mended on request, and the guests run on. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { insideCommand } from '../../lab/exec.js';
import { machineOf } from '../../lab/lab-store.js';
import { processesInside, waitUntil } from '../../lab/processes.js';
import { tryRun } from '../../lab/run.js';
import type { Leftover } from '../../src/domain/audit-types.js';
import { CONTROL_QUEUE } from '../../src/domain/task-queues.js';
import { WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { openLabWorld, type LabWorld } from '../support/lab-world.js';

/** Runs; its plants are on the other node. */
const RUNS = 107;
/** Its migration is killed while it is held. */
const HELD = 108;
/** Is off. */
const OFF = 109;
const NOBODYS = 110;
const OWNER = 'node1';
const OTHER = 'node2';
const PROCESSES = [`${RUNS}-stray`, `${RUNS}-second`];

let world: LabWorld;
let connection: Connection;
let temporal: Client;
const plants: ChildProcess[] = [];

beforeAll(async () => {
  world = await openLabWorld({ name: 'repair', nodes: 2 });
  connection = await Connection.connect({ address: world.lab().temporal.hostAddress });
  temporal = new Client({ connection });
  await world.createWitness({ vmid: RUNS }, OWNER);
  await world.createWitness({ vmid: HELD }, OWNER);
  expect(await world.cli('guest', 'create', String(OFF), '--node', OWNER, '--set', 'name=off', '--set', 'memory=64')).toMatchObject({ code: 0 });
});
afterAll(async () => {
  await connection.close();
  await world.close();
  for (const child of plants) if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
});

it('finds what was planted, changes nothing by itself, mends it when told to, and then is clean', async () => {
  expect(await world.leftovers()).toEqual([]);
  await loseWorkflow();
  await plantInTemporal();
  await plantOnNode();

  const found = await audit();
  expect(found.code).toBe(1);
  expect(new Set(found.leftovers.map(({ kind, node, vmid }) => `${kind} ${node ?? '-'} ${vmid === null ? '-' : String(vmid)}`))).toEqual(
    new Set([
      `incoming-process ${OTHER} ${RUNS}`,
      `stray-process ${OTHER} ${RUNS}`,
      `config-copy ${OTHER} ${RUNS}`,
      `nft-table ${OTHER} -`,
      `tap ${OTHER} ${OFF}`,
      `tap ${OTHER} ${NOBODYS}`,
      `socket ${OTHER} ${OFF}`,
      `record-unsettled ${OWNER} ${HELD}`,
      `record-unsettled ${OTHER} ${HELD}`,
      `journal-open ${OWNER} ${HELD}`,
      // The records that its target has written ahead.
      `temp-file ${OTHER} ${HELD}`,
      `record-unreadable ${OTHER} ${OFF}`,
      `temp-file ${OTHER} ${OFF}`,
      `journal-open ${OTHER} ${OFF}`,
      `journal-open ${OTHER} ${NOBODYS}`,
      `volume-orphan ${OTHER} ${NOBODYS}`,
      `slot-leaked - ${HELD}`,
      'workflow-orphan - 999',
      'schedule-orphan - 999',
    ]),
  );

  const again = await audit();
  expect(again.leftovers.map(({ id }) => id)).toEqual(found.leftovers.map(({ id }) => id));
  expect(plantedProcesses()).toEqual(PROCESSES);

  const mended = await audit('--repair');
  expect({ code: mended.code, leftovers: mended.leftovers.map(({ kind, repair }) => [kind, repair]) }).toEqual({
    code: 1,
    leftovers: [['volume-orphan', null]],
  });
  expect(plantedProcesses()).toEqual([]);
  expect(readFileSync(orphanVolume(), 'utf8')).toBe('data of a guest that nobody knows');
  rmSync(orphanVolume());

  expect(await world.cli('audit', '--repair')).toMatchObject({ code: 0, stdout: 'Clean: 2 nodes, nothing left behind\n' });
  for (const vmid of [RUNS, HELD]) expect([(await world.verdict(vmid)).reasons, world.qemuPid(OWNER, vmid)]).toEqual([[], expect.any(Number)]);
});

it('a guest whose record is lost where it runs is settled by name, and by nothing else', async () => {
  const record = world.inside(OWNER, `/var/lib/kedge/records/${RUNS}.json`);
  writeFileSync(record, readFileSync(record, 'utf8').replace('"running"', '"stopped"'));
  expect(await world.cli('reconcile', String(RUNS))).toMatchObject({ code: 1, stdout: expect.stringContaining('repair: write a record for the guest') });
  expect(await world.cli('reconcile', String(RUNS), '--repair')).toMatchObject({ code: 0, stdout: expect.stringContaining('settled: ') });
  expect(await world.leftovers()).toEqual([]);
  expect((await world.verdict(RUNS)).reasons).toEqual([]);
});

async function audit(...words: readonly string[]): Promise<{ readonly code: number | null; readonly leftovers: readonly Leftover[] }> {
  const { code, stdout, stderr } = await world.cli('audit', '--json', ...words);
  expect(stderr).toBe('');
  const { leftovers }: { leftovers: readonly Leftover[] } = JSON.parse(stdout);
  return { code, leftovers };
}

/** A claim, a prepared target, a stream and a slot that no workflow drives any more. */
async function loseWorkflow(): Promise<void> {
  const ref = await world.migrate(HELD, OTHER, { hold: true });
  await world.watch(ref, 'the hold', ({ phase }) => phase === 'holding');
  await temporal.workflow.getHandle(ref.workflowId, ref.runId).terminate('planted');
}

async function plantInTemporal(): Promise<void> {
  const args = [{ vmid: 999, target: OTHER }];
  await temporal.workflow.start(WORKFLOW_TYPES.migrateGuest, { taskQueue: 'nobody', workflowId: 'migration-999', args });
  await temporal.schedule.create({
    scheduleId: 'planted',
    spec: { calendars: [{ month: 'JANUARY' }] },
    action: { type: 'startWorkflow', workflowType: WORKFLOW_TYPES.migrateGuest, taskQueue: CONTROL_QUEUE, args },
  });
}

async function plantOnNode(): Promise<void> {
  plantQemu(['-name', `${RUNS}-stray`, '-incoming', 'defer', '-S']);
  plantQemu(['-name', `${RUNS}-second`]);
  await waitUntil('both processes', () => plantedProcesses().length === 2, { timeoutMs: 20_000 });
  copyFileSync(world.inside(OWNER, `/etc/kedge/qemu-server/${RUNS}.conf`), world.inside(OTHER, `/etc/kedge/qemu-server/${RUNS}.conf`));
  writeInside(`/run/kedge/qemu/${OFF}`, 'control.qmp', '');
  writeInside('/var/lib/kedge/records', `${OFF}.json`, '{"format":1,"vmid":109,"state":"owned"}\n');
  const folder = `/var/lib/kedge/images/images/${OFF}`;
  const copy = `.incoming-${OFF}-7-vm-${OFF}-disk-0.raw`;
  writeInside(folder, copy, 'half of a disk');
  const token = 'ab'.repeat(16);
  writeInside('/run/kedge/rsync-grants', `${token}.json`, `${JSON.stringify({ token, peer: OWNER, kind: 'file', path: `${folder}/${copy}` })}\n`);
  writeInside('/var/lib/kedge/journal', `${NOBODYS}.claim.json`, '{"generation":2,"sequence":1,"attempt":1}\n');
  writeInside(`/var/lib/kedge/images/images/${NOBODYS}`, `vm-${NOBODYS}-disk-0.raw`, 'data of a guest that nobody knows');
  await inside('nft', 'add', 'table', 'inet', 'kedge-fault');
  await inside('ip', 'tuntap', 'add', 'dev', `tap${OFF}i0`, 'mode', 'tap');
  await inside('ip', 'link', 'set', `tap${OFF}i0`, 'up');
  await inside('ip', 'link', 'add', `veth${NOBODYS}i0`, 'type', 'veth', 'peer', 'name', 'planted');
}

/** A QEMU without a machine that the node's worker has not started. */
function plantQemu(words: readonly string[]): void {
  const command = ['qemu-system-x86_64', '-machine', 'none', '-nodefaults', '-display', 'none', ...words];
  const [program, ...args] = insideCommand(machineOf(world.lab(), OTHER), command);
  plants.push(spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }));
}

/** `nsenter` stays outside as the parent: the plants themselves are found inside. */
function plantedProcesses(): readonly string[] {
  const { init } = machineOf(world.lab(), OTHER);
  const commands = init === null ? [] : processesInside(init).map(({ command }) => command);
  return PROCESSES.filter((name) => commands.some((command) => command.includes(name)));
}

function writeInside(folder: string, name: string, text: string): void {
  mkdirSync(world.inside(OTHER, folder), { recursive: true });
  const file = world.inside(OTHER, `${folder}/${name}`);
  expect(existsSync(file)).toBe(false);
  writeFileSync(file, text);
}

async function inside(...command: readonly string[]): Promise<void> {
  expect(await tryRun(insideCommand(machineOf(world.lab(), OTHER), command))).toMatchObject({ code: 0 });
}

function orphanVolume(): string {
  return world.inside(OTHER, `/var/lib/kedge/images/images/${NOBODYS}/vm-${NOBODYS}-disk-0.raw`);
}
