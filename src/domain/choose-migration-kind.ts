import { finding, type Finding } from './checks.js';
import type { Vmid } from './ids.js';
import type { MigrationKind, MigrationOptions } from './migration.js';
import type { GuestKind, Wanted } from './ownership.js';

/** What the choice rests on. */
export interface KindRequest {
  readonly vmid: Vmid;
  readonly guestKind: GuestKind;
  readonly wanted: Wanted;
  /** Is there a process of the guest? */
  readonly isOn: boolean;
  readonly options: Pick<MigrationOptions, 'online' | 'restart'>;
}

/** How the guest moves, or why it can't in the way that was asked for. */
export type KindChoice = { readonly kind: MigrationKind } | { readonly refusal: Finding };

/** A running virtual machine moves live unless its restart was allowed; a container never does. */
export function chooseMigrationKind({ vmid, guestKind, wanted, isOn, options }: KindRequest): KindChoice {
  if (!isOn || wanted === 'stopped') {
    if (!options.online) return { kind: 'offline' };
    return refused('guest-off', `Guest ${vmid} is off`, 'Start it with "kedge guest start", or leave --online out: it then moves switched off');
  }
  if (options.online && guestKind === 'lxc') {
    return refused(
      'container-online',
      `Container ${vmid} runs, and containers can't move while they run`,
      'Use --restart: it is stopped, moved and started again',
    );
  }
  if (options.restart) {
    if (wanted === 'running') return { kind: 'restart' };
    return refused('guest-paused', `Guest ${vmid} is paused and can't shut down`, 'Resume it with "kedge guest resume", or move it live');
  }
  if (guestKind === 'lxc') {
    return refused('guest-running', `Container ${vmid} runs`, 'Use --restart: it is stopped, moved and started again');
  }
  return { kind: 'live' };
}

function refused(id: Finding['id'], text: string, remedy: string): KindChoice {
  return { refusal: finding(id, text, remedy) };
}
