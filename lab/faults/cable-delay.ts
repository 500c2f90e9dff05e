import type { Network } from '../address-plan.js';
import type { Break } from '../lab-state.js';

/**
 * How long a cable holds what leaves the machine (`outMs`) and what comes to it (`inMs`); delays of several breaks add up.
 * Null when it is as it was built.
 */
export function delayOf(breaks: readonly Break[], machine: string, network: Network): { readonly outMs: number; readonly inMs: number } | null {
  let outMs = 0;
  let inMs = 0;
  for (const { machine: name, fault } of breaks) {
    if (name !== machine || fault.kind !== 'delay' || fault.network !== network) continue;
    if (fault.direction !== 'in') outMs += fault.delayMs;
    if (fault.direction !== 'out') inMs += fault.delayMs;
  }
  return outMs + inMs === 0 ? null : { outMs, inMs };
}
