import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LongCall } from '../../../../activities/node/node-service.js';
import { sshKeyFile } from '../../../../src/config/paths.js';
import { KedgeError } from '../../../../src/domain/kedge-error.js';
import { createLogger } from '../../../../src/log/logger.js';
import { serializeError } from '../../../../src/log/serialize-error.js';
import { auditNode } from '../../../../worker/node/audit/audit-node.js';
import { readInventory } from '../../../../worker/node/presence/read-inventory.js';
import { startOfflineNodes, type OfflineNodes } from '../../../support/offline-nodes.js';
import { VMID } from '../../../support/two-nodes.js';

/** What was seen of one migration: everything that a log, a history or the list of processes would hold of it. */
const logged: string[] = [];
const told: string[] = [];
const processes = new Set<string>();
let nodes: OfflineNodes;
let tokens: readonly string[] = [];
let keyLines: readonly string[] = [];

beforeAll(async () => {
  // Slow enough that a pass is seen, and cut off, in its middle.
  const migration = { bandwidthLimit: 16 * 2 ** 20 };
  nodes = await startOfflineNodes({ migration, log: createLogger({ level: 'trace', to: { write: (line) => logged.push(line) } }) });
  keyLines = readFileSync(sshKeyFile(nodes.source.paths), 'utf8')
    .split('\n')
    .filter((line) => line.length > 20 && !line.startsWith('-----'));
  const timer = setInterval(lookAtProcesses, 10);
  const call: Partial<LongCall> = { report: (progress) => told.push(JSON.stringify(progress)) };
  const step = async (name: string, act: () => Promise<unknown>): Promise<void> => {
    told.push(`${name}: ${JSON.stringify((await act().catch(failureOf)) ?? null)}`);
  };
  await step('claim', () => nodes.claim());
  await step('prepare', () => nodes.prepare());
  tokens = ((await nodes.target.volumes.read(VMID))?.volumes ?? []).map(({ token }) => token);
  killWhenItRuns();
  await step('copy that is cut off', () => nodes.copy(false, call));
  await step('shutdown', () => nodes.shutDown(call));
  nodes.cuts.set('grant', 'lost-reply');
  await step('copy whose grant is lost', () => nodes.copy(true, call));
  nodes.cuts.clear();
  await step('copy again', () => nodes.copy(true, call));
  await step('audit', async () => [await auditNode(nodes.source), await auditNode(nodes.target)]);
  await step('inventory', () => readInventory(nodes.target));
  await step('verify', () => nodes.verify(call));
  await step('hand-over', () => nodes.handOver());
  await step('release', () => nodes.release());
  clearInterval(timer);
});
afterAll(() => nodes.close());

/** As the activity tells it to the server, and as a log prints it. */
function failureOf(error: unknown): unknown {
  return [error instanceof KedgeError ? { code: error.code, message: error.message, details: error.details } : String(error), serializeError(error)];
}

function lookAtProcesses(): void {
  for (const [, text] of commands()) processes.add(text);
}

/** Every process with its arguments. */
function commands(): readonly (readonly [pid: number, text: string])[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [[Number(pid), readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')] as const];
      } catch {
        // It has ended since.
        return [];
      }
    });
}

/** Kills the first ssh that is seen with a token: what its rsync then says of that goes into a failure. */
function killWhenItRuns(): void {
  const timer = setInterval(() => {
    const ssh = commands().find(([, text]) => text.startsWith('ssh ') && tokens.some((token) => text.includes(token)));
    if (ssh === undefined) return;
    clearInterval(timer);
    process.kill(ssh[0], 'SIGKILL');
  }, 2);
}

const holding = (secrets: readonly string[], texts: Iterable<string>): readonly string[] =>
  [...texts].filter((text) => secrets.some((one) => text.includes(one)));

describe('of a migration that copies disks', () => {
  test('enough was seen to judge', () => {
    expect(tokens).toHaveLength(2);
    expect(keyLines.length).toBeGreaterThan(3);
    expect(told.filter((text) => /^(copy that is cut off|copy whose grant is lost): \[/.test(text))).toHaveLength(2);
    expect(told.filter((text) => /^(copy again|verify|hand-over|release): (null|\{)/.test(text))).toHaveLength(4);
    expect([...processes].some((text) => text.includes('rsync --inplace'))).toBe(true);
  });

  test('no line of the private key is in a log, a result, a heartbeat, a failure, or the arguments of a process', () => {
    expect(holding(keyLines, [...logged, ...told, ...processes])).toEqual([]);
  });

  test('no token of a grant is in a log, a result, a heartbeat or a failure', () => {
    expect(holding(tokens, [...logged, ...told])).toEqual([]);
  });

  test('a token is seen in the arguments of rsync and its ssh alone, where it is a name: without the key of the very node it opens nothing', () => {
    const seen = holding(tokens, processes).map((text) => text.split(' ')[0]);
    expect(seen.filter((program) => !['setpriv', 'rsync', 'ssh'].includes(program ?? ''))).toEqual([]);
  });
});
