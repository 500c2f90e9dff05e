/**
 * Cut and lossy cables as nft rules on the switch: pure text.
 *
 * Faults live in the switch, not in the machines: they hold over power cuts, and no machine can see or undo them.
 * In the bridge family `iifname` is the port a frame came from, `oifname` the port it goes to; a delayed cable passes the bridge at another.
 */
import { NETWORKS, delayedPort, linksOf, type Network, type Role } from '../address-plan.js';
import type { Break, Direction, LabState } from '../lab-state.js';

/** One script for `nft -f -` that replaces all rules of the lab in one transaction. */
export function nftScript(lab: Pick<LabState, 'machines' | 'breaks'>): string {
  const rules = lab.breaks.flatMap((each) => rulesOf(lab, each));
  const chain = ['  chain faults {', '    type filter hook forward priority 0; policy accept;', ...rules.map((rule) => `    ${rule}`), '  }'];
  // "table" before "delete table": deleting is no error then when there is none yet.
  return ['table bridge kedge', 'delete table bridge kedge', 'table bridge kedge {', ...chain, '}', ''].join('\n');
}

function rulesOf(lab: Pick<LabState, 'machines'>, { id, machine, fault }: Break): string[] {
  if (fault.kind !== 'cut' && fault.kind !== 'lose') return [];
  const own = portOf(lab, machine, fault.network);
  const peer = fault.peer === null ? undefined : portOf(lab, fault.peer, fault.network);
  // 1 in 1,000,000: fine enough for any loss that a test can tell from none.
  const share = fault.kind === 'lose' ? `numgen random mod 1000000 < ${Math.round(fault.percent * 10_000)} ` : '';
  return matches(own, peer, fault.direction).map((match) => `${match} ${share}counter drop comment "break-${id}"`);
}

function matches(own: string, peer: string | undefined, direction: Direction): string[] {
  const out = `iifname ${names(own)}${peer === undefined ? '' : ` oifname ${names(peer)}`}`;
  const into = `oifname ${names(own)}${peer === undefined ? '' : ` iifname ${names(peer)}`}`;
  switch (direction) {
    case 'out':
      return [out];
    case 'in':
      return [into];
    case 'both':
      return [out, into];
  }
}

const names = (port: string): string => `{ "${port}", "${delayedPort(port)}" }`;

function portOf(lab: Pick<LabState, 'machines'>, name: string, network: Network): string {
  const machine = lab.machines.find((each) => each.name === name);
  return linksOf({ name, role: machine?.role ?? 'switch' }).find((link) => link.network === network)?.port ?? 'none';
}

/** Networks that a machine of this role is plugged into. */
export function networksOf(machine: { name: string; role: Role }): readonly Network[] {
  const links = linksOf(machine);
  return NETWORKS.filter((network) => links.some((link) => link.network === network));
}
