/** One round on paper: which guest moves how, what breaks when, and who interferes. Plain JSON, made from seed and number alone. */
import type { CrashMoment, CrashPoint } from '../../src/domain/crash-points.js';
import type { Sabotage } from '../../src/domain/sabotage.js';
import type { Network } from '../../lab/address-plan.js';
import type { Direction } from '../../lab/lab-state.js';

/**
 * `live`: a virtual machine on shared disks; `bare`: one without disks, moved live, too: QEMU locks images, and would hide a second runner;
 * `offline`: one on local disks, shut down and started again; `container`: the same for LXC.
 */
export const GUEST_KINDS = ['live', 'bare', 'offline', 'container'] as const;
export type GuestKind = (typeof GUEST_KINDS)[number];

export type Side = 'source' | 'target';

/** What the judge waits for, seen from outside, before it strikes. */
export const STEP_MARKS = ['started', 'prepared', 'copying', 'paused', 'shut-down', 'published', 'handed-over'] as const;
export type StepMark = (typeof STEP_MARKS)[number];

export interface Moment {
  readonly after: StepMark;
  readonly delayMs: number;
}

/** A program that can be killed or stopped. `qemu` is the guest's own; `sessions` are the connections of the peers to a node's sshd. */
export type Victim =
  | { readonly program: 'worker' | 'qemu' | 'sshd' | 'sessions' | 'monitor'; readonly side: Side }
  | { readonly program: 'control' | 'temporal' };

/** Something that holds until it is healed after `forMs`. */
export type Lasting =
  | { readonly do: 'stop'; readonly victim: Victim }
  | { readonly do: 'power'; readonly side: Side }
  | { readonly do: 'cut'; readonly side: Side; readonly network: Network; readonly direction: Direction }
  | { readonly do: 'lose'; readonly side: Side; readonly network: Network; readonly percent: number }
  | { readonly do: 'slow'; readonly side: Side; readonly network: Network; readonly rate: string }
  | { readonly do: 'late'; readonly side: Side; readonly network: Network; readonly byMs: number }
  | { readonly do: 'fill'; readonly side: Side }
  | { readonly do: 'slow-disk'; readonly side: Side; readonly writesPerSecond: number }
  | { readonly do: 'clock'; readonly side: Side; readonly shift: string };

export type ChaosFault =
  | { readonly type: 'kill'; readonly victims: readonly Victim[] }
  | { readonly type: 'lasting'; readonly what: Lasting; readonly forMs: number }
  /**
   * The way back from the target is late from the start, and cut once the guest is paused: the target has everything, and the source never hears of it. `alone`: the target is cut off
   * from the control network as well, and the source's worker dies, so that the next one has to settle it without the target.
   */
  | { readonly type: 'return-path'; readonly lateMs: number; readonly forMs: number; readonly alone: boolean }
  /** Armed before the round begins: strikes when the point is passed. `cutOffMs`: its machine has no control network for so long then. */
  | { readonly type: 'crash'; readonly point: CrashPoint; readonly moment: CrashMoment; readonly side: Side | 'control'; readonly cutOffMs: number };

/** Who interferes: a user who cancels, starts a second migration, or wants the guest stopped; or the guest, which switches itself off. */
export const ACTIONS = ['cancel', 'second-start', 'stop-verb'] as const;
export type Action = { readonly what: (typeof ACTIONS)[number]; readonly delayMs: number };

export interface RoundPlan {
  readonly round: number;
  readonly kind: GuestKind;
  /** Bytes per second of the copy; null: as fast as it goes. */
  readonly bandwidthLimit: number | null;
  /** Strikes by themselves when null: a crash point. */
  readonly moment: Moment | null;
  readonly fault: ChaosFault;
  readonly action: Action | null;
  /** The target of a hand-over is lost once it is loaded, so that the source has to take the guest back. */
  readonly loseTarget: boolean;
}

/** What all rounds of a run have in common. */
export interface PlanOptions {
  readonly seed: number;
  /** Break the product on purpose: the plan is then aimed at the steps that show it. */
  readonly sabotage: Sabotage | null;
}
