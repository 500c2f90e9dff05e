import { assertNever } from '../../src/domain/assert-never.js';
import type { ChaosFault, Lasting, RoundPlan, Victim } from './round-plan.js';

/** A round in one line; equal plans give equal lines. */
export function describeRound({ kind, bandwidthLimit, moment, fault, action, loseTarget }: RoundPlan): string {
  return [
    kind,
    ...(bandwidthLimit === null ? [] : [`${Math.round(bandwidthLimit / 2 ** 20)} MiB/s`]),
    describeFault(fault),
    ...(moment === null ? [] : [`${moment.after}+${moment.delayMs}ms`]),
    ...(loseTarget ? ['the loaded target is lost'] : []),
    ...(action === null ? [] : [`${action.what}+${action.delayMs}ms`]),
  ].join(', ');
}

/** The class of a fault: a row of the table. */
export function faultClass(fault: ChaosFault): string {
  switch (fault.type) {
    case 'kill':
      return `kill ${fault.victims.map(nameOf).join(' + ')}`;
    case 'lasting':
      return fault.what.do === 'stop' ? `stop ${nameOf(fault.what.victim)}` : `${fault.what.do} ${fault.what.side}`;
    case 'return-path':
      return 'return path lost';
    case 'crash':
      return `crash point, ${fault.moment}`;
    default:
      return assertNever(fault);
  }
}

function describeFault(fault: ChaosFault): string {
  switch (fault.type) {
    case 'kill':
      return faultClass(fault);
    case 'lasting':
      return `${lastingText(fault.what)} for ${fault.forMs / 1_000}s`;
    case 'return-path':
      return `way back ${fault.lateMs}ms late, then ${fault.alone ? 'the target cut off and the source worker killed' : 'cut'} for ${fault.forMs / 1_000}s`;
    case 'crash':
      return `crash at ${fault.point}=${fault.moment}${fault.point.startsWith('node.') ? ` of the ${fault.side}` : ''}${fault.cutOffMs === 0 ? '' : `, then cut off for ${fault.cutOffMs / 1_000}s`}`;
    default:
      return assertNever(fault);
  }
}

function lastingText(what: Lasting): string {
  switch (what.do) {
    case 'stop':
      return `stop ${nameOf(what.victim)}`;
    case 'power':
      return `power of the ${what.side} off`;
    case 'cut':
      return `cut ${what.network} of the ${what.side} ${what.direction}`;
    case 'lose':
      return `lose ${what.percent}% on ${what.network} of the ${what.side}`;
    case 'slow':
      return `${what.network} of the ${what.side} at ${what.rate}`;
    case 'late':
      return `${what.network} of the ${what.side} ${what.byMs}ms late`;
    case 'fill':
      return `disk of the ${what.side} full`;
    case 'slow-disk':
      return `disk of the ${what.side} at ${what.writesPerSecond} writes/s`;
    case 'clock':
      return `clock of the ${what.side} ${what.shift}`;
    default:
      return assertNever(what);
  }
}

const nameOf = (victim: Victim): string => ('side' in victim ? `${victim.side} ${victim.program}` : victim.program);
