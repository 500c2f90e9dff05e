import type { NodeName } from '../../src/domain/ids.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { CallTable } from '../../src/drivers/peer/call-table.js';
import { parseRequest, type ParsedRequest } from '../../src/drivers/peer/parse-request.js';
import type { PeerChannel } from '../../src/drivers/peer/peer-channel.js';
import type { PeerOperation } from '../../src/drivers/peer/protocol.js';
import type { NodeContext } from '../../worker/node/node-context.js';
import { answerPeer } from '../../worker/node/peers/answer-peer.js';

/** The real call table and parsers, without the wire between them. */
export function directChannel(link: { from: NodeName; to: () => NodeContext; cuts: ReadonlyMap<PeerOperation, 'before' | 'lost-reply'> }): PeerChannel {
  const calls: CallTable = new CallTable(link.to().node, (line) => {
    const request = parseRequest(line);
    void answerTo(request).then((answer) => {
      calls.take(JSON.stringify({ id: request.id, ...answer }));
    });
  });
  const answerTo = async ({ body }: ParsedRequest): Promise<Record<string, unknown>> => {
    try {
      if (body instanceof KedgeError) throw body;
      const cut = link.cuts.get(body.op);
      if (cut === 'before') throw unreachable();
      const answer = await answerPeer(link.to(), link.from, { request: body, signal: new AbortController().signal });
      if (cut === 'lost-reply') throw unreachable();
      return { ok: answer };
    } catch (error) {
      return { error: { code: error instanceof KedgeError ? error.code : 'internal', message: String(error), details: {} } };
    }
  };
  return {
    call: (op, args, options) => calls.call(op, args, options),
    close: () => undefined,
    closed: new Promise(() => undefined),
    isClosed: false,
  };
}

function unreachable(): KedgeError {
  return new KedgeError('peer-unreachable', 'Cannot reach the peer: the test has cut the link');
}
