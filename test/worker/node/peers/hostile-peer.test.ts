import { fc, test as property } from '@fast-check/vitest';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isErrorCode } from '../../../../src/domain/error-codes.js';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { isRecord } from '../../../../src/domain/is-record.js';
import { PEER_OPERATIONS } from '../../../../src/drivers/peer/protocol.js';
import { servePeers, type PeerServer } from '../../../../src/drivers/peer/serve-peers.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { answerPeer } from '../../../../worker/node/peers/answer-peer.js';
import { configuredNode } from '../../../support/configured-node.js';
import { sendRaw } from '../../../src/drivers/peer/send-raw.js';

const OWNED = parseVmid(101);
const CLAIMED = parseVmid(102);
const RELEASED = parseVmid(103);
const GENERATION = parseGeneration(5);
let node: NodeContext;
let remove: () => void;
let server: PeerServer;
let socketFile: string;
let local: string;
let before: ReadonlyMap<string, string>;
beforeAll(async () => {
  local = mkdtempSync(join(tmpdir(), 'kedge-hostile-'));
  const config = 'name: test\nmemory: 64\n';
  const configs = Object.fromEntries([OWNED, CLAIMED].map((vmid) => [`qemu-server/${vmid}.conf`, config]));
  ({ node, remove } = await configuredNode({ 'storage.cfg': `dir: local\n\tpath ${local}\n\tcontent images\n`, ...configs }));
  mkdirSync(join(local, 'images'));
  const base = { kind: 'qemu', generation: GENERATION, wanted: 'stopped', bootId: node.bootId } as const;
  const claim = { migrationId: migrationIdOf(CLAIMED, parseGeneration(6)), peer: parseNodeName('node2') };
  await node.records.write({ ...base, vmid: OWNED, state: 'owned' });
  await node.records.write({ ...base, ...claim, vmid: CLAIMED, state: 'owned' });
  await node.records.write({ ...base, ...claim, vmid: RELEASED, migrationId: migrationIdOf(RELEASED, parseGeneration(6)), state: 'released' });
  socketFile = join(node.paths.run, 'peer.sock');
  server = await servePeers({ socketFile, handle: (from, request, { signal }) => answerPeer(node, from, { request, signal }) });
  before = ownFiles();
});
afterAll(async () => {
  await server.close();
  remove();
  rmSync(local, { recursive: true });
});

/** Records and configs of the guests that this node has, by their names. */
function ownFiles(): ReadonlyMap<string, string> {
  const files = [OWNED, CLAIMED].map((vmid) => join(node.paths.state, 'records', `${vmid}.json`));
  const configs = readdirSync(join(node.paths.etc, 'qemu-server')).map((name) => join(node.paths.etc, 'qemu-server', name));
  return new Map([...files, ...configs].map((file) => [file, readFileSync(file, 'utf8')]));
}

/** Something for each argument of an operation: what fits, what nearly fits, and anything. */
const vmid = fc.constantFrom(OWNED, CLAIMED, RELEASED, 104, 105);
const generation = fc.integer({ min: 1, max: 9 });
const argument = fc.record(
  {
    vmid: fc.oneof({ weight: 9, arbitrary: vmid }, { weight: 1, arbitrary: fc.jsonValue() }),
    generation: fc.oneof({ weight: 9, arbitrary: generation }, { weight: 1, arbitrary: fc.jsonValue() }),
    wanted: fc.constantFrom('running', 'stopped', 'x'),
    mode: fc.constantFrom('offline', 'x'),
    volume: fc.constantFrom('local:101/vm-101-disk-0.raw', 'local:104/../101/x', '../../etc/shadow', '-x', ''),
    payload: fc.string(),
    token: fc.constantFrom('0'.repeat(32), '../../x', ''),
    network: fc.constantFrom(null, '10.0.0.0/8', 'x'),
    version: fc.integer(),
    node: fc.constantFrom('node1', 'node9', '-x'),
  },
  { requiredKeys: ['vmid', 'generation'] },
);
const line = fc.tuple(fc.constantFrom(...Object.keys(PEER_OPERATIONS), 'format', '__proto__'), argument, generation).map(([op, args, issued]) => ({
  op,
  args: { ...args, migrationId: `${JSON.stringify(args.vmid)}-${JSON.stringify(args.mode === 'x' ? issued : args.generation)}` },
}));

describe('whatever a peer asks', () => {
  property.prop([fc.array(line, { minLength: 1, maxLength: 8 }), fc.constantFrom('node2', 'node3')], { numRuns: 60 })(
    'each request is answered once, with a code of the table or an answer, and no guest of this node changes hands',
    async (lines, from) => {
      const requests = lines.map((request, index) => `${JSON.stringify({ id: index + 1, deadlineMs: 5_000, ...request })}\n`);
      const answers = (await sendRaw(socketFile, [`{"peer":"${from}"}\n`, ...requests].join(''), { until: '\n', lines: lines.length })).trim().split('\n');
      const parsed = answers.map((text): unknown => JSON.parse(text)).filter(isRecord);
      expect(parsed.map(({ id }) => id).toSorted()).toEqual(lines.map((_, index) => index + 1).toSorted());
      for (const { error } of parsed.filter((answer) => 'error' in answer)) {
        expect(isRecord(error) && isErrorCode(error['code']) && error['code'] !== 'internal', JSON.stringify([lines, error])).toBe(true);
      }
      expect(ownFiles()).toEqual(before);
      // A tombstone may become one of a later generation, which no peer can turn into a permission.
      for (const vmid of await node.records.list()) {
        const view = await node.records.read(vmid);
        if (vmid > CLAIMED) expect(['released', 'revoked']).toContain(view.kind === 'record' ? view.record.state : view.kind);
      }
    },
  );

  test('the worker still answers', async () => {
    const probe = '{"id":1,"op":"probe","deadlineMs":1000,"args":{"payload":"abc"}}\n';
    expect(await sendRaw(socketFile, `{"peer":"node2"}\n${probe}`, { until: '\n' })).toBe('{"id":1,"ok":{"bytes":3}}\n');
  });
});
