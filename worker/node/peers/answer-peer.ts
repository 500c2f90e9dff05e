import { assertNever } from '../../../src/domain/assert-never.js';
import type { CrashPoint } from '../../../src/domain/crash-points.js';
import type { NodeName } from '../../../src/domain/ids.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import type { PeerAnswer, PeerOperation, PeerRequest } from '../../../src/drivers/peer/protocol.js';
import { isBusy } from '../inspection/is-busy.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import { arm, go, revoke } from '../handover/target-session.js';
import type { NodeContext } from '../node-context.js';
import { digestCopy, grantCopy, publishCopy } from '../offline/receive-volume.js';
import { recoverUntilSettled } from '../recovery/recover-guests.js';

const ANSWERS = {
  hello: 'node.hello-answer',
  observe: 'node.observe-answer',
  arm: 'target.arm-answer',
  go: 'target.go-answer',
  revoke: 'target.revoke-answer',
  grant: 'target.grant-answer',
  digest: 'target.digest-answer',
  publish: 'target.publish-answer',
  settle: 'node.settle-answer',
  probe: 'node.probe-answer',
  openProbe: 'node.open-probe-answer',
  tallyProbe: 'node.tally-probe-answer',
} as const satisfies Record<PeerOperation, CrashPoint>;

/** One request of a peer; `signal`: nobody waits for the answer any more. */
interface Asked {
  readonly request: PeerRequest;
  readonly signal: AbortSignal;
}

/** Answers one request of another node's worker, which sshd has let in by its key as `from`. */
export async function answerPeer(node: NodeContext, from: NodeName, asked: Asked): Promise<PeerAnswer> {
  return crashPoint(ANSWERS[asked.request.op], () => answer(node, from, asked));
}

async function answer(node: NodeContext, from: NodeName, { request, signal }: Asked): Promise<PeerAnswer> {
  switch (request.op) {
    case 'hello':
      return { ...node.protocol, node: node.node, bootId: node.bootId, clockMs: performance.timeOrigin + performance.now(), wallMs: Date.now() };
    case 'observe': {
      node.leases.renewIfKnown(request.args.vmid);
      const { view } = await lookAtGuest(node, request.args.vmid);
      // After the look, without the lock (which its holder may keep while it asks us): what was read is durable when it is told.
      await node.records.sync();
      return view;
    }
    case 'arm':
      await arm(node, { ...request.args, from }, request.args.wanted);
      return { armed: true };
    case 'go':
      return go(node, { ...request.args, from });
    case 'revoke':
      return revoke(node, { ...request.args, from });
    case 'grant':
      return grantCopy(node, { ...request.args, from });
    case 'digest':
      return digestCopy(node, { ...request.args, from }, signal);
    case 'publish':
      return publishCopy(node, { ...request.args, from });
    case 'settle':
      // Done after the answer: the caller may hold its lock and wait for us.
      void recoverUntilSettled(node, request.args.vmid);
      return { accepted: true };
    case 'probe':
      return { bytes: request.args.payload.length };
    case 'openProbe':
      return node.probes.open({ host: node.peers.migrationAddress(node.node, request.args.network), token: request.args.token, busy: isBusy(node) });
    case 'tallyProbe':
      return node.probes.tally(request.args);
    default:
      return assertNever(request);
  }
}
