/** Plans aimed at the steps where a sabotaged product goes wrong, so that a run shows it within minutes. */
import { assertNever } from '../../src/domain/assert-never.js';
import type { Sabotage } from '../../src/domain/sabotage.js';
import { returnPath } from './faults.js';
import type { RoundPlan } from './round-plan.js';
import type { Random } from '../../lab/random.js';

const MIB = 2 ** 20;
/** Longer than a peer is waited for. */
const CUT_OFF_MS = 20_000;
/** The way back, as long as go may take; later acknowledgements would keep the copy from converging. */
const LATE_MS = 150;
/** So long that the source's worker comes back, finds nobody to ask, and takes the final pass for frozen. */
const OUT_OF_REACH_MS = 45_000;
/** From the command until the target of a move with disks is prepared, and more. */
const LOCAL_COPY_MS = 3_500;

export function planSabotage(sabotage: Sabotage, { round, random }: { readonly round: number; readonly random: Random }): RoundPlan {
  const base = { round, kind: 'bare', bandwidthLimit: null, moment: null, action: null, loseTarget: false } as const;
  switch (sabotage) {
    // The target has everything and runs; the source hears nothing, is torn out of its final pass, and runs again by itself.
    case 'early-go':
      return { ...base, moment: { after: 'paused', delayMs: LATE_MS / 2 }, fault: returnPath({ alone: true, lateMs: LATE_MS, forMs: OUT_OF_REACH_MS }) };
    // Go has arrived and the guest runs on the target, whose worker dies before it says so, and is out of reach then.
    case 'no-revoke':
    case 'no-fence':
      return { ...base, fault: { type: 'crash', point: 'target.go-answer', moment: 'lost-reply', side: 'target', cutOffMs: CUT_OFF_MS } };
    // A roll-back: of a copy of disks, which does not go by itself as a QEMU does that loses its stream; and one after which the guest must move again.
    case 'skip-undo':
    case 'reuse-generation':
      return {
        ...base,
        kind: sabotage === 'skip-undo' ? 'offline' : 'bare',
        bandwidthLimit: 4 * MIB,
        moment: { after: sabotage === 'skip-undo' ? 'prepared' : 'copying', delayMs: random.between(0, 200) },
        fault: { type: 'kill', victims: [{ program: 'sessions', side: 'target' }] },
        action: { what: 'cancel', delayMs: sabotage === 'skip-undo' ? LOCAL_COPY_MS : 1_500 },
      };
    default:
      return assertNever(sabotage);
  }
}
