/**
 * `npm run demo`: a cluster of two nodes on this machine, a guest that testifies, a live migration whose control worker is killed
 * half-way, and the verdict. Everything is real and everything is removed again; `--keep` leaves the lab, `--json` prints one line.
 */
import { z } from 'zod';
import type { KedgeClient } from '../../src/client/kedge-client.js';
import { waitUntil } from '../processes.js';
import { readLab } from '../lab-store.js';
import { connectLab } from '../wait-for-lab.js';
import { killControlWorker } from './kill-control-worker.js';
import { kedgeRunner, type KedgeRunner } from './run-kedge.js';

const VMID = '101';
/** KiB/s: slow enough that there is a middle in which to kill something. */
const BANDWIDTH = '65536';

/** The parts of the commands' JSON that the demo reports on. */
const VERDICT = z.object({ ok: z.boolean(), pingGapMs: z.number(), memoryIntact: z.boolean(), diskIntact: z.boolean() });
const AUDIT = z.object({ leftovers: z.array(z.unknown()) });

interface DemoResult {
  readonly ok: boolean;
  readonly blackoutMs: number;
  readonly pingGapMs: number;
  readonly memoryIntact: boolean;
  readonly diskIntact: boolean;
  readonly killed: 'control worker';
  /** From the kill until a restarted control worker answers for the workflow again; milliseconds. */
  readonly resumedInMs: number;
  readonly leftovers: readonly unknown[];
}

const json = process.argv.includes('--json');
const keep = process.argv.includes('--keep');
const unknown = process.argv.slice(2).find((argument) => argument !== '--json' && argument !== '--keep');
if (unknown !== undefined) {
  console.error(`Cannot run the demo: "${unknown}" is no option; there are --json (one line for programs) and --keep (leave the lab up)`);
  process.exit(2);
}
process.exit(await demo());

async function demo(): Promise<number> {
  const lab = `demo-${process.pid}`;
  const kedge = kedgeRunner(lab, { quiet: json });
  tell(`A cluster of two nodes is built on this machine as lab "${lab}": real QEMU, real sshd, a real Temporal server.`);
  try {
    const result = await moveAndJudge(lab, kedge);
    console.log(json ? JSON.stringify(result) : textOf(result));
    return result.ok ? 0 : 1;
  } catch (error) {
    console.error(error instanceof Error ? error.message : String(error));
    if (json) console.log(JSON.stringify({ ok: false, error: error instanceof Error ? error.message : String(error) }));
    return 1;
  } finally {
    if (!keep) await kedge('lab', 'down', '--name', lab).catch((error: unknown) => console.error(String(error)));
  }
}

async function moveAndJudge(lab: string, kedge: KedgeRunner): Promise<DemoResult> {
  await kedge('lab', 'up', '--name', lab, '--nodes', '2');
  tell('A witness boots: it ticks every 5 ms, overwrites 20 MB of memory a second and checks it, and keeps a journal on its disk.');
  await kedge('lab', 'witness', 'create', VMID, '--node', 'node1');
  await kedge('lab', 'witness', 'reset', VMID);
  const client = await connectLab(readLab(lab));
  try {
    tell('It moves to node2 while it runs. Half-way the control worker is killed with kill -9.');
    const moving = kedge('migrate', VMID, 'node2', '--online', '--bwlimit', BANDWIDTH);
    const resumedInMs = await killInTheMiddle(lab, client, moving);
    await moving;
    await kedge('migration', 'show', VMID);
    return await judge({ kedge, client, resumedInMs });
  } finally {
    await client.close();
  }
}

/** Kills the control worker once a third of the memory is copied; a migration that ends before is the demo's failure. */
async function killInTheMiddle(lab: string, client: KedgeClient, moving: Promise<unknown>): Promise<number> {
  let ended = false;
  const end = (): void => {
    ended = true;
  };
  moving.then(end, end);
  await waitUntil(
    'the middle of the copy',
    async () => {
      if (ended) return true;
      const { progress } = await client.showMigration(VMID).catch(() => ({ progress: null }));
      return progress !== null && progress.bytesSent > progress.bytesTotal / 3;
    },
    { timeoutMs: 120_000, pauseMs: 100 },
  );
  const pid = killControlWorker(lab);
  const killedAt = performance.now();
  tell(`kill -9 ${pid}: the control worker is dead, QEMU goes on copying.`);
  await waitUntil('the restarted control worker', async () => (await client.showMigration(VMID)).storyIsFresh, { timeoutMs: 60_000, pauseMs: 50 });
  const resumedInMs = Math.round(performance.now() - killedAt);
  tell(`A new control worker has taken the migration up after ${resumedInMs} ms.`);
  return resumedInMs;
}

async function judge({ kedge, client, resumedInMs }: { kedge: KedgeRunner; client: KedgeClient; resumedInMs: number }): Promise<DemoResult> {
  // A bad verdict ends the command with 1, which rejects: the demo then fails with the verdict's reasons.
  const verdict = VERDICT.parse(JSON.parse(await kedge('lab', 'witness', VMID, '--json')));
  const audit = AUDIT.parse(JSON.parse(await kedge('audit', '--json')));
  const { story } = await client.showMigration(VMID);
  const blackoutMs = story?.blackout?.stopToResumeMs ?? null;
  if (blackoutMs === null || story?.outcome !== 'migrated') throw new Error('Cannot show the blackout: the migration did not end as migrated');
  return {
    ok: verdict.ok && audit.leftovers.length === 0,
    blackoutMs,
    pingGapMs: verdict.pingGapMs,
    memoryIntact: verdict.memoryIntact,
    diskIntact: verdict.diskIntact,
    killed: 'control worker',
    resumedInMs,
    leftovers: audit.leftovers,
  };
}

function textOf(result: DemoResult): string {
  return `
The guest moved to node2 while it ran${result.ok ? ', and nothing was lost:' : ', but NOT everything is well:'}
  stood still       ${result.blackoutMs} ms
  longest ping gap  ${Math.round(result.pingGapMs)} ms
  memory            ${result.memoryIntact ? 'intact' : 'DAMAGED'}
  disk              ${result.diskIntact ? 'intact' : 'DAMAGED'}
  control worker    killed in the middle, replaced in ${result.resumedInMs} ms
  left behind       ${result.leftovers.length === 0 ? 'nothing' : JSON.stringify(result.leftovers)}
`;
}

function tell(text: string): void {
  if (!json) console.log(`\n# ${text}`);
}
