/**
 * Judges what a node has measured of its way to another one. The measurements are short and the machines may be busy: a finding that
 * refuses needs a clear margin, everything less is a warning.
 */
import { finding, type Finding } from './checks.js';
import { formatBytes } from './format-bytes.js';
import { checkProtocol } from './check-protocol.js';
import type { ControlFacts, DatagramFacts, LinkFacts, MigrationLinkFacts } from './link-facts.js';

/** A link that loses 5 % is seen as losing 2 % or more in all but one of some 10,000 probes; one that loses nothing never is. */
const REFUSED_LOSS = 0.02;
const SLOW_BYTES_PER_SECOND = 10 * 2 ** 20;
const LONG_ROUND_TRIP_MS = 10;
const CLOCK_SKEW_MS = 2_000;
/** So many of the small datagrams must arrive before the large ones prove anything. */
const RELIABLE_SHARE = 0.5;

export function checkLink(link: LinkFacts): readonly Finding[] {
  return [...checkControl(link, link.control), ...(link.migration === null ? [] : checkMigrationLink(link, link.migration))];
}

function checkControl({ from, to }: LinkFacts, control: ControlFacts): readonly Finding[] {
  switch (control.kind) {
    case 'untrusted':
      return [
        finding(
          'peer-untrusted',
          `${to} shows a host key that is not the pinned one`,
          'Check that it is the right machine; renew its key with "kedge pki" only if it was rebuilt',
        ),
      ];
    case 'unreachable':
      return [finding('peer-unreachable', `${from} can't reach the worker of ${to}: ${control.reason}`)];
    case 'answered':
      return [
        ...checkProtocol(
          { node: from, protocol: { version: control.ownProtocol, oldest: control.ownOldest } },
          { node: to, protocol: { version: control.peerProtocol, oldest: control.peerOldest } },
        ),
        ...(Math.abs(control.clockSkewMs) <= CLOCK_SKEW_MS + control.roundTripMs ? [] : [clockFinding({ from, to }, control.clockSkewMs)]),
      ];
  }
}

/** One text for both nodes, which each see the other's clock. */
function clockFinding({ from, to }: Pick<LinkFacts, 'from' | 'to'>, skewMs: number): Finding {
  const [behind, ahead] = skewMs > 0 ? [from, to] : [to, from];
  return finding('clock-skew', `The clock of ${ahead} is about ${Math.round(Math.abs(skewMs) / 1_000)} s ahead of that of ${behind}`);
}

function checkMigrationLink({ from, to }: LinkFacts, link: MigrationLinkFacts): readonly Finding[] {
  const way = `from ${from} to ${to} on the migration network`;
  switch (link.kind) {
    case 'no-listener':
      return [finding('port-unavailable', `${to} can't listen on its migration address: ${link.reason}`, listenRemedy(link.reason))];
    case 'unprobed':
      return link.connects ? [unmeasured(way, link.reason)] : [noConnection(way)];
    case 'probed': {
      const { datagrams, connects, busy, bytesPerSecond } = link;
      const nothing = datagrams.arrived === 0;
      if (nothing && !connects) return [finding('migration-network', `Nothing arrives ${way}`)];
      if (nothing) return [unmeasured(way, 'datagrams (UDP) are not let through')];
      return [
        ...(connects ? [] : [noConnection(way)]),
        ...checkDatagrams(datagrams, { way, busy }),
        ...(bytesPerSecond !== null && bytesPerSecond < SLOW_BYTES_PER_SECOND && !busy
          ? [finding('link-slow', `Only ${formatBytes(bytesPerSecond)}/s pass ${way}`)]
          : []),
      ];
    }
  }
}

function checkDatagrams(datagrams: DatagramFacts, { way, busy }: { way: string; busy: boolean }): readonly Finding[] {
  const { sent, arrived, largeSent, largeArrived, mtu, roundTripMs } = datagrams;
  const loss = 1 - arrived / sent;
  const lost = `${sent - arrived} of ${sent} packets are lost ${way} (${(loss * 100).toFixed(1)} %)`;
  return [
    ...(loss >= REFUSED_LOSS && !busy ? [finding('packet-loss', lost)] : loss > 0 ? [finding('link-lossy', lost)] : []),
    ...(largeSent > 0 && largeArrived === 0 && arrived / sent > RELIABLE_SHARE && !busy
      ? [finding('path-mtu', `Packets of ${mtu} bytes never arrive ${way}, smaller ones do`)]
      : []),
    ...(roundTripMs !== null && roundTripMs > LONG_ROUND_TRIP_MS && !busy
      ? [finding('latency-high', `The round trip ${way} and back takes ${roundTripMs.toFixed(0)} ms`)]
      : []),
  ];
}

/** The address is there when the kernel says that it is in use: then the ports are what is missing. */
const listenRemedy = (reason: string): string | undefined =>
  reason.includes('EADDRINUSE') ? 'End what holds its ports ("ss -tnp"), or widen net.ipv4.ip_local_port_range' : undefined;
const noConnection = (way: string): Finding => finding('migration-network', `No connection can be opened ${way}`);
const unmeasured = (way: string, reason: string): Finding => finding('link-unmeasured', `Packet loss and bandwidth ${way} are not known: ${reason}`);
