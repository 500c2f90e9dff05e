import type { Verdict } from './witness/verdict.js';

/** A verdict for people. */
export function verdictText(verdict: Verdict): string {
  const yesNo = (value: boolean): string => (value ? 'yes' : 'NO');
  return [
    `witness         ${verdict.vmid}: ${verdict.ok ? 'lost nothing, ran once' : 'COMPLAINS'}`,
    `ticks           ${verdict.ticks} (${verdict.missingTicks} missing, ${verdict.regressions} gone back)`,
    `longest gap     ${verdict.longestGapMs.toFixed(1)} ms (guest stood still for ${verdict.longestStopMs.toFixed(1)} ms)`,
    `ping gap        ${verdict.pingGapMs.toFixed(1)} ms`,
    ...(verdict.memoryIntact === null ? [] : [`memory intact   ${yesNo(verdict.memoryIntact)} (${verdict.pagesChecked} pages checked)`]),
    `disk intact     ${yesNo(verdict.diskIntact)} (${verdict.recordsChecked} records checked)`,
    `ran twice       ${verdict.doubleRunner ? 'YES' : 'no'}`,
    `reboots         ${verdict.reboots}`,
    ...verdict.unchecked.map((what) => `not checked     ${what}`),
    ...verdict.reasons.map((reason) => `reason          ${reason}`),
  ].join('\n');
}
