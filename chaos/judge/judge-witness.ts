/** What a witness's verdict means for a round. Pure. */
import type { Verdict } from '../../lab/witness/verdict.js';

export interface WitnessJudgement {
  readonly doubles: readonly string[];
  readonly lost: readonly string[];
}

/** Two sequences of ticks at once are two runners; every other complaint is something that the guest has lost. */
export function judgeVerdict({ vmid, doubleRunner, reasons }: Verdict): WitnessJudgement {
  const isDouble = (reason: string): boolean => reason.startsWith('two runners');
  return {
    doubles: doubleRunner ? reasons.filter(isDouble).map((reason) => `guest ${vmid}: ${reason}`) : [],
    lost: reasons.filter((reason) => !isDouble(reason)).map((reason) => `guest ${vmid}: ${reason}`),
  };
}
