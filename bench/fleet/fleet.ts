/** One simulated fleet from its start to its end: it is brought up, left alone for a while, drained in part, and read. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import { pino } from 'pino';
import { DEFAULT_SLOT_LIMITS } from '../../src/domain/admission-limits.js';
import type { EvacuationReport } from '../../src/domain/evacuation.js';
import type { NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { planEvacuation } from '../../src/domain/plan/plan-evacuation.js';
import { ADMISSION_ID, WORKFLOW_TYPES } from '../../src/domain/workflow-names.js';
import { CONTROL_START } from '../../src/client/control-start.js';
import { connectWorker, type WorkerConnection } from '../../worker/temporal/connect-worker.js';
import { installRuntime } from '../../worker/temporal/install-runtime.js';
import { startTemporalServer } from '../temporal-server.js';
import { Deadline } from './deadline.js';
import { fleetNodes } from './fleet-guests.js';
import type { FleetOptions } from './fleet-options.js';
import { startFleetProcesses, type FleetProcesses } from './fleet-processes.js';
import { ProcessLoad, type Load } from './process-load.js';
import { readFleet, type FleetHistories } from './read-fleet.js';

type Loads = Readonly<Record<'server' | 'control' | 'nodes', Load>>;

export interface FleetResult {
  readonly moves: number;
  readonly drainMs: number;
  /** Why it did not come to its end; null: it did. */
  readonly problem: string | null;
  readonly idle: Loads;
  readonly busy: Loads;
  readonly snapshot: { readonly bytes: number; readonly planBytes: number; readonly tookMs: readonly number[]; readonly planMs: readonly number[] };
  readonly looksMs: readonly number[];
  readonly failedLooks: number;
  readonly histories: FleetHistories;
}

/** Open polls of a namespace that the server allows: by default 1,200, of which 200 nodes with two queues and two polls each use 800 and their presences 200. */
const POLLS_ALLOWED = 20_000;
/** Presence alone is watched for so long. */
const IDLE_MS = 20_000;
const SNAPSHOTS = 5;
/** A registration is two calls; more at once only queue at the server. */
const REGISTRATIONS_AT_ONCE = 8;

/** @throws KedgeError `deadline-exceeded` that says what the server could not do, before there was anything to measure */
export async function runFleet(options: FleetOptions, say: (line: string) => void): Promise<FleetResult> {
  const deadline = new Deadline(options, say);
  const server = await startTemporalServer([`frontend.namespaceCount=${POLLS_ALLOWED}`]);
  say(`server ${server.address} runs, its database is in ${server.folder}`);
  let processes: FleetProcesses | null = null;
  let connected: WorkerConnection | null = null;
  try {
    const log = pino({ level: 'error' }, pino.destination(2));
    installRuntime({ log });
    const nodes = fleetNodes(options);
    connected = await deadline.keep(connectWorker({ address: server.address, namespace: 'default', nodes }, { log }), { what: 'answer' });
    const { kedge, connection, namespace } = connected;
    const client = new Client({ connection, namespace });
    await deadline.keep(kedge.ensureNamespace(), { what: 'make its namespace' });
    await startAdmission(client, options.slots);
    const start = { ...options, address: server.address, serverPid: server.pid, serverFolder: server.folder };
    processes = await deadline.keep(startFleetProcesses(start), { what: `open ${2 * nodes.length} queues` });
    const watched = { server: new ProcessLoad([server.pid]), control: new ProcessLoad([processes.controlPid]), nodes: new ProcessLoad(processes.nodePids) };
    const loads = (): Loads => ({ server: watched.server.next(), control: watched.control.next(), nodes: watched.nodes.next() });
    await Promise.race([bringUp({ kedge, nodes }, deadline), processes.broken]);

    loads();
    await sleep(IDLE_MS);
    const idle = loads();
    const leaving = nodes.slice(0, options.drain);
    const snapshot = await deadline.keep(measureSnapshot({ kedge }, leaving), { what: `answer for ${nodes.length} nodes in a snapshot` });
    loads();
    const began = performance.now();
    const drained = await drainAll({ client, kedge, processes, leaving }, { options, deadline, say });
    const drainMs = performance.now() - began;
    const busy = loads();
    const report = await deadline.keepLast(processes.report(), 'report');
    const problem = drained.problem ?? whatIsWrong(report, { options, leaving });
    const moves = processes.moved();
    // A server that could not keep up answers again when nobody else asks.
    processes.kill();
    say('reading the histories');
    const histories = await deadline.keepLast(readFleet(client), 'hand out the histories');
    return { moves, drainMs, problem, idle, busy, snapshot, looksMs: report.looksMs, failedLooks: report.failedLooks, histories };
  } finally {
    processes?.kill();
    await connected?.connection.close().catch(() => undefined);
    await server.stop();
  }
}

/** The entity runs with the limits that are asked for before anybody else starts it with its own. */
async function startAdmission(client: Client, cluster: number): Promise<void> {
  await client.workflow.start(WORKFLOW_TYPES.admission, {
    ...CONTROL_START,
    workflowId: ADMISSION_ID,
    args: [{ limits: { ...DEFAULT_SLOT_LIMITS, cluster } }],
  });
}

async function bringUp({ kedge, nodes }: Pick<WorkerConnection, 'kedge'> & { readonly nodes: readonly NodeName[] }, deadline: Deadline): Promise<void> {
  let registered = 0;
  const left = [...nodes];
  const register = async (): Promise<void> => {
    for (let node = left.shift(); node !== undefined; node = left.shift()) {
      await kedge.registerNode({ node, bootId: 'fleet' });
      registered += 1;
    }
  };
  await deadline.keep(Promise.all(Array.from({ length: REGISTRATIONS_AT_ONCE }, register)), {
    what: `register ${nodes.length} nodes`,
    where: () => `${registered} of ${nodes.length} nodes are registered`,
  });
  let silent = [...nodes];
  const hear = async (): Promise<void> => {
    while (silent.length > 0) {
      const heard = await Promise.all(silent.map(async (node) => (await kedge.findNodeStatus(node))?.inventory != null));
      silent = silent.filter((_, at) => heard[at] !== true);
      if (silent.length > 0) await sleep(1_000);
    }
  };
  await deadline.keep(hear(), {
    what: `take the heartbeats of ${nodes.length} nodes`,
    where: () => `${nodes.length - silent.length} of ${nodes.length} nodes are heard`,
  });
}

async function measureSnapshot({ kedge }: Pick<WorkerConnection, 'kedge'>, leaving: readonly NodeName[]): Promise<FleetResult['snapshot']> {
  const tookMs: number[] = [];
  const planMs: number[] = [];
  let bytes = 0;
  let planBytes = 0;
  for (let turn = 0; turn < SNAPSHOTS; turn += 1) {
    const began = performance.now();
    const snapshot = await kedge.takeSnapshot();
    tookMs.push(performance.now() - began);
    bytes = Buffer.byteLength(JSON.stringify(snapshot));
    const planned = performance.now();
    const plan = planEvacuation(snapshot, leaving);
    planMs.push(performance.now() - planned);
    planBytes = Buffer.byteLength(JSON.stringify(plan));
  }
  return { bytes, planBytes, tookMs, planMs };
}

interface Draining extends Pick<WorkerConnection, 'kedge'> {
  readonly client: Client;
  readonly processes: FleetProcesses;
  readonly leaving: readonly NodeName[];
}

/** A drain that does not end is no error here: what was reached until then is the measurement. */
async function drainAll(
  { client, kedge, processes, leaving }: Draining,
  { options, deadline, say }: { readonly options: FleetOptions; readonly deadline: Deadline; readonly say: (line: string) => void },
): Promise<{ readonly problem: string | null }> {
  let ended = 0;
  const drain = async (node: NodeName): Promise<EvacuationReport> => {
    const { workflowId, firstRunId } = await kedge.startEvacuation('evacuate', { node, requestedBy: 'bench' });
    const handle = client.workflow.getHandle<() => Promise<EvacuationReport>>(workflowId, undefined, { firstExecutionRunId: firstRunId });
    const report = await handle.result();
    ended += 1;
    return report;
  };
  say(`draining ${leaving.length} nodes at once, ${options.slots} migrations at a time`);
  const where = (): string => `${processes.moved()} moves, ${ended} of ${leaving.length} drains have ended`;
  try {
    const all = Promise.race([Promise.all(leaving.map(drain)), processes.broken]);
    const reports = await deadline.keep(all, { what: `end ${leaving.length} drains at once`, where });
    const bad = reports.find(({ end }) => end !== 'done');
    return { problem: bad === undefined ? null : `the drain of ${bad.node} ended as ${bad.end ?? 'unknown'}: ${JSON.stringify(bad.stayed.slice(0, 3))}` };
  } catch (error) {
    if (error instanceof KedgeError) return { problem: error.message };
    throw error;
  }
}

/** A measurement counts only when it did what it says: every guest is owned once, none on a node that was drained. */
function whatIsWrong(
  { held }: Awaited<ReturnType<FleetProcesses['report']>>,
  { options, leaving }: { readonly options: FleetOptions; readonly leaving: readonly NodeName[] },
): string | null {
  const vmids = held.flatMap((node) => node.vmids);
  if (vmids.length !== options.guests || new Set(vmids).size !== options.guests) {
    return `${options.guests} guests were there, now ${vmids.length} are owned, ${new Set(vmids).size} different ones`;
  }
  const left = held.find((node) => leaving.includes(node.node) && node.vmids.length > 0);
  return left === undefined ? null : `${left.vmids.length} guests are left on ${left.node}, which was drained`;
}
