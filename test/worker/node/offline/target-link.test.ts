import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { migrationIdOf, parseGeneration, parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import type { PeerProtocol } from '../../../../src/domain/peer-protocol.js';
import { CallTable } from '../../../../src/drivers/peer/call-table.js';
import { parseRequest } from '../../../../src/drivers/peer/parse-request.js';
import type { PeerChannel } from '../../../../src/drivers/peer/peer-channel.js';
import type { NodeContext } from '../../../../worker/node/node-context.js';
import { TargetLink } from '../../../../worker/node/offline/target-link.js';
import { configuredNode } from '../../../support/configured-node.js';

const TARGET = parseNodeName('node2');
const VMID = parseVmid(101);
const GENERATION = parseGeneration(2);
const STEP = { vmid: VMID, generation: GENERATION, migrationId: migrationIdOf(VMID, GENERATION) };
const ANSWERS: Readonly<Record<string, unknown>> = {
  grant: { token: null, isEmpty: false },
  arm: { armed: true },
  go: { resumedAtMs: 1, alreadyDone: false },
  revoke: { ran: 'no' },
};
const soon = { timeoutMs: 1_000 };

let asked: string[];
let node: NodeContext;
let remove: () => void;
beforeEach(async () => {
  asked = [];
  ({ node, remove } = await configuredNode({}));
});
afterEach(() => {
  remove();
});

/** A target whose worker speaks so; it answers all that it is asked. */
function linkTo(protocol: PeerProtocol): TargetLink {
  const calls: CallTable = new CallTable(TARGET, (line) => {
    const { id, body } = parseRequest(line);
    const op = 'op' in body ? body.op : 'nothing';
    asked.push(op);
    const hello = { ...protocol, node: TARGET, bootId: 'boot', clockMs: 1 };
    queueMicrotask(() => calls.take(JSON.stringify({ id, ok: op === 'hello' ? hello : ANSWERS[op] })));
  });
  const channel: PeerChannel = {
    call: (op, args, options) => calls.call(op, args, options),
    close: () => undefined,
    closed: new Promise(() => undefined),
    isClosed: false,
  };
  return new TargetLink({ ...node, peers: { channel: () => Promise.resolve(channel), migrationAddress: () => '127.0.0.1' } }, TARGET);
}

describe('the link to a target', () => {
  test('asks once what it speaks, before anything that a copy needs', async () => {
    const link = linkTo({ version: 2, oldest: 1 });
    await link.call('grant', { ...STEP, volume: 'local:101/vm-101-disk-0.raw' }, soon);
    await link.call('arm', STEP, soon);
    expect(asked).toEqual(['hello', 'grant', 'arm']);
  });

  test('asks a target of another protocol for nothing, and says which node to update', async () => {
    for (const [protocol, remedy] of [
      [{ version: 2 }, 'Update Kedge on node1'],
      [{ version: 0, oldest: 0 }, 'Update Kedge on node2'],
    ] as const) {
      asked = [];
      const call = linkTo(protocol).call('grant', { ...STEP, volume: 'local:101/vm-101-disk-0.raw' }, soon);
      await expect(call).rejects.toMatchObject({
        code: 'protocol-mismatch',
        details: { remedy },
        message: /^Cannot work with node node2: Kedge on node\d speaks version/,
      });
      expect(asked).toEqual(['hello']);
    }
  });

  test('ends what has begun with a target of any protocol', async () => {
    const link = linkTo({ version: 9 });
    await link.call('go', { ...STEP, mode: 'offline' }, soon);
    await link.call('revoke', STEP, soon);
    expect(asked).toEqual(['go', 'revoke']);
  });
});
