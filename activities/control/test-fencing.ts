import { deviceName, judgeDevice, judgeFile, type FencingReport, type FenceTest } from '../../src/domain/fence-test.js';
import { parseNodeName, type NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { FenceDevice } from '../../src/schema/fencing-config.js';
import type { ClusterAccess } from './cluster-access.js';

/**
 * Asks the fencing devices of all nodes, or of one, for their status, from the machine that would use them. None is told to do anything.
 * @throws KedgeError `bad-config` for what the file says, `not-found` when there is none, or none for this node
 */
export async function testFencing(
  { nodes, nodeStatus, fencing }: Pick<ClusterAccess, 'nodes' | 'nodeStatus' | 'fencing'>,
  { node: wanted }: { node: NodeName | null },
): Promise<FencingReport> {
  const { place, config: read, look } = fencing;
  const config = await read().catch((error: unknown) => {
    if (!(error instanceof KedgeError)) throw error;
    throw new KedgeError(error.code, `${error.message} (${place})`, { details: error.details, cause: error });
  });
  if (config === null)
    throw new KedgeError('not-found', `Cannot test fencing: there is no ${place}`, { details: { remedy: 'Write it, as docs/operating.md shows' } });
  const devices = Object.entries(config.nodes).map(([name, device]) => ({ node: parseNodeName(name), device }));
  const asked = devices.filter(({ node }) => wanted === null || node === wanted);
  if (wanted !== null && asked.length === 0) {
    throw new KedgeError('not-found', `Cannot test the fencing device of ${wanted}: ${place} names none`, { details: { remedy: `Add nodes.${wanted} to it` } });
  }
  const queues = new Map<string, typeof asked>();
  for (const one of asked) queues.set(queueOf(one.device), [...(queues.get(queueOf(one.device)) ?? []), one]);
  const test = async ({ node, device }: (typeof asked)[number]): Promise<FenceTest> => {
    const found = await look(device);
    const status = await nodeStatus(node);
    const isHeard = status?.bootId == null ? null : status.silentSince === null;
    const twins = devices.filter((other) => other.node !== node && isSame(other.device, device)).map((other) => other.node);
    const { power, said, tookMs } = found;
    const problems = judgeDevice({ node, device, look: found, isHeard, twins });
    return { node, agent: device.agent, device: deviceName(device.parameters), power, said, tookMs, problems };
  };
  const tests = await Promise.all([...queues.values()].map((queue) => inTurn(queue, test)));
  return { place, tests: tests.flat(), problems: wanted === null ? judgeFile({ nodes, configured: Object.keys(config.nodes) }) : [] };
}

/** Many power strips have room for one session. */
function queueOf({ agent, parameters }: FenceDevice): string {
  return `${agent} ${parameters['ip'] ?? parameters['ipaddr'] ?? ''}`;
}

function isSame(one: FenceDevice, other: FenceDevice): boolean {
  const text = ({ agent, parameters }: FenceDevice): string => JSON.stringify([agent, Object.entries(parameters).sort()]);
  return text(one) === text(other);
}

async function inTurn<Item, Result>(items: readonly Item[], work: (item: Item) => Promise<Result>): Promise<readonly Result[]> {
  const results: Result[] = [];
  for (const item of items) results.push(await work(item));
  return results;
}
