import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { NodeName } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import type { ControlFacts, DatagramFacts, LinkFacts, MigrationLinkFacts } from '../../../src/domain/link-facts.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { linkMtu } from '../../../src/drivers/link/link-mtu.js';
import { TOKEN_BYTES } from '../../../src/drivers/link/probe-packet.js';
import { openDatagramSender } from '../../../src/drivers/link/send-datagrams.js';
import { canConnect, sendStream } from '../../../src/drivers/link/send-stream.js';
import type { PeerChannel } from '../../../src/drivers/peer/peer-channel.js';
import type { NodeContext } from '../node-context.js';
import { isBusy } from './is-busy.js';

const CALL_TIMEOUT_MS = 3_000;
/** Another probe may be under way there. */
const OPEN_TIMEOUT_MS = 15_000;
/**
 * A worker that its supervisor has just started anew is back within it, on a busy machine too: that is no reason to refuse a migration.
 * Longer than `silentAfterMs` (src/domain/workflow-timings.ts): a peer that comes back in time for its own questions is reached as well.
 */
const RESTART_MS = 20_000;
const RETRY_EVERY_MS = 250;
const SSH_PORT = 22;
/** Enough to see that nothing is lost; and so many more once something was, to tell how much. */
const FIRST_DATAGRAMS = 300;
const MORE_DATAGRAMS = 500;
const LARGE_DATAGRAMS = 6;
/** Headers of IPv6 and UDP; those of IPv4 are smaller. */
const HEADER_BYTES = 48;
/** Jumbo frames end here; loopback has more and proves nothing. */
const LARGEST_MTU = 9_216;

/**
 * Measures the way from this node to a peer: its worker over the control network, and packet loss, round trip, MTU and rate over the
 * migration network. Takes about half a second, and longer while the peer's worker restarts; the other direction is the peer's to measure.
 */
export async function measureLink(node: NodeContext, { peer, network }: { peer: NodeName; network: string | null }): Promise<LinkFacts> {
  const ends = { from: node.node, to: peer };
  let channel: PeerChannel;
  let control: ControlFacts;
  try {
    ({ channel, control } = await reachWorker(node, peer));
  } catch (error) {
    if (!(error instanceof KedgeError)) throw error;
    const kind = error.code === 'peer-untrusted' ? 'untrusted' : 'unreachable';
    return { ...ends, control: { kind, reason: error.message }, migration: null };
  }
  return { ...ends, control, migration: await node.probes.outgoing(() => probeMigrationNetwork(node, { peer, network, channel })) };
}

/** @throws KedgeError `peer-unreachable` when it stays away for longer than a restart takes, `peer-untrusted` at once */
async function reachWorker(node: NodeContext, peer: NodeName): Promise<{ channel: PeerChannel; control: ControlFacts }> {
  const giveUpAtMs = performance.now() + RESTART_MS;
  for (;;) {
    try {
      const channel = await node.peers.channel(peer);
      return { channel, control: await askHello(node, channel) };
    } catch (error) {
      const isAway = error instanceof KedgeError && error.code === 'peer-unreachable';
      if (!isAway || performance.now() + RETRY_EVERY_MS >= giveUpAtMs) throw error;
      await delay(RETRY_EVERY_MS);
    }
  }
}

async function askHello(node: NodeContext, channel: PeerChannel): Promise<ControlFacts> {
  const sentMs = performance.now();
  const { version, oldest, clockMs, wallMs } = await crashPoint('node.hello-message', () =>
    channel.call('hello', { ...node.protocol, node: node.node }, { timeoutMs: CALL_TIMEOUT_MS }),
  );
  const roundTripMs = performance.now() - sentMs;
  const midwayMs = Date.now() - roundTripMs / 2;
  const { version: ownProtocol, oldest: ownOldest } = node.protocol;
  const protocols = { ownProtocol, ownOldest, peerProtocol: version, peerOldest: oldest };
  return { kind: 'answered', ...protocols, roundTripMs, clockSkewMs: (wallMs ?? clockMs) - midwayMs };
}

async function probeMigrationNetwork(
  node: NodeContext,
  { peer, network, channel }: { peer: NodeName; network: string | null; channel: PeerChannel },
): Promise<MigrationLinkFacts> {
  const token = randomBytes(TOKEN_BYTES);
  try {
    const there = await crashPoint('node.open-probe-message', () =>
      channel.call('openProbe', { token: token.toString('hex'), network }, { timeoutMs: OPEN_TIMEOUT_MS }),
    );
    const busy = there.busy || isBusy(node);
    const to = { host: there.host, token };
    const tally = (small: number, large: number, close: boolean) =>
      crashPoint('node.tally-probe-message', () =>
        channel.call('tallyProbe', { token: token.toString('hex'), small, large, close }, { timeoutMs: CALL_TIMEOUT_MS }),
      );
    const datagrams = await countDatagrams({ ...to, port: there.udpPort }, tally);
    const connects = busy ? await canConnect({ ...to, port: there.tcpPort }) : await sendStream({ ...to, port: there.tcpPort });
    const { bytesPerSecond } = await tally(0, 0, true);
    return { kind: 'probed', connects, datagrams, bytesPerSecond: busy ? null : bytesPerSecond, busy };
  } catch (error) {
    const code = error instanceof KedgeError ? error.details['code'] : undefined;
    const reason = code === 'unsupported' ? `${peer} has an older Kedge` : error instanceof Error ? error.message : String(error);
    node.log.info({ peer, error }, 'the migration network could not be probed');
    return code === 'peer-refused' || code === 'bad-input'
      ? { kind: 'no-listener', reason }
      : { kind: 'unprobed', reason, connects: await canConnect({ host: node.peers.migrationAddress(peer, network), port: SSH_PORT }) };
  }
}

type Tally = (small: number, large: number, close: boolean) => Promise<{ arrived: number; largeArrived: number }>;

async function countDatagrams(to: { host: string; port: number; token: Buffer }, tally: Tally): Promise<DatagramFacts> {
  const sender = await openDatagramSender(to);
  try {
    const mtu = (await linkMtu(to.host)) ?? Number.POSITIVE_INFINITY;
    let sent = await sender.small(FIRST_DATAGRAMS);
    const largeSent = mtu > LARGEST_MTU ? 0 : await sender.large(LARGE_DATAGRAMS, mtu - HEADER_BYTES);
    let { arrived, largeArrived } = await tally(sent, largeSent, false);
    if (arrived > 0 && arrived < sent) {
      sent += await sender.small(MORE_DATAGRAMS);
      ({ arrived, largeArrived } = await tally(sent, largeSent, false));
    }
    return { sent, arrived, largeSent, largeArrived, mtu: Number.isFinite(mtu) ? mtu : 0, roundTripMs: sender.roundTripMs };
  } finally {
    sender.close();
  }
}
