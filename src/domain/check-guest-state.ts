/** Is the guest, as both nodes know it, in a state from which it may move? */
import { finding, type CheckId, type Finding } from './checks.js';
import type { GuestView } from './ownership.js';
import type { NodeName, Vmid } from './ids.js';

/** What the source sees of the guest beside its record. */
export interface SourceState {
  readonly vmid: Vmid;
  readonly view: GuestView;
  /** QEMU's own word for what it does; null: there is none, or it does not answer. */
  readonly runState: string | null;
  /** An earlier stream still has its thread. */
  readonly streamStuck: boolean;
}

/** Run states in which a guest may start to move; in any other (an I/O error, a panic) it would arrive standing. */
const MOVABLE: readonly string[] = ['running', 'paused', 'postmigrate', 'inmigrate', 'finish-migrate'];

/** The first thing that is in the way: the others would follow from it. */
export function checkSourceState({ vmid, view, runState, streamStuck }: SourceState): readonly Finding[] {
  const { record, node, bootId, qemu } = view;
  const found = (id: CheckId, text: string, remedy?: string): readonly Finding[] => [finding(id, text, remedy)];
  if (record.kind === 'missing') return found('guest-unknown', `${node} has no guest ${vmid}`);
  if (record.kind === 'unreadable')
    return found('record-unsettled', `The ownership record of guest ${vmid} can't be read: ${record.reason}`, 'Run "kedge audit" and restore the record');
  const { state, generation, migrationId } = record.record;
  if (state !== 'owned')
    return found(
      'record-unsettled',
      `The ownership record of guest ${vmid} on ${node} is ${state}(${generation}) of ${record.record.migrationId}`,
      record.record.mode === 'offline'
        ? `Its migration was ended by force: take the guest back with "kedge guest start ${vmid}"`
        : 'Wait until the earlier migration is settled, see "kedge audit"',
    );
  if (record.record.bootId !== bootId)
    return found(
      'record-unsettled',
      `${node} has rebooted and guest ${vmid} is not confirmed for this boot`,
      `Wait until ${node} is registered, see "kedge node show ${node}"`,
    );
  if (qemu === 'gone') return [];
  if (runState !== null && !MOVABLE.includes(runState))
    return found('record-unsettled', `QEMU of guest ${vmid} stands in "${runState}"`, 'Resume or restart the guest first: it would arrive in the same state');
  if (!['running', 'paused', 'loaded', 'postmigrate'].includes(qemu))
    return found('record-unsettled', `QEMU of guest ${vmid} is ${qemu}`, 'Wait until the state of the guest is settled, see "kedge audit"');
  if (migrationId === undefined && streamStuck)
    return found(
      'stream-stuck',
      `QEMU of guest ${vmid} has not ended the stream of an earlier migration and can't begin another`,
      'Shut the guest down and start it again: QEMU below 9.0 may lock up when a stream fails',
    );
  return [];
}

/** What the target sees. `sourceGeneration`: the one of the source's record; null: the source does not answer. */
export interface TargetState {
  readonly vmid: Vmid;
  readonly view: GuestView;
  readonly sourceGeneration: number | null;
  /** Process id of a QEMU of this guest on the target. */
  readonly pid: number | null;
  /** The target has a config of this number that Kedge does not manage. */
  readonly foreignConfig: boolean;
}

/** What an attempt of an older generation left on the target is none: it gives way when the target is prepared. */
export function checkTargetState(state: TargetState): readonly Finding[] {
  return [...checkTargetRecord(state), ...checkForeignConfig(state)];
}

function checkForeignConfig({ vmid, view, foreignConfig }: TargetState): readonly Finding[] {
  if (!foreignConfig) return [];
  const text = `${view.node} has a config of a guest ${vmid} that Kedge does not manage`;
  return [finding('guest-exists-on-target', text, `Give that guest another number, or remove its config from ${view.node}`)];
}

function checkTargetRecord({ vmid, view, sourceGeneration, pid }: TargetState): readonly Finding[] {
  const { record, node } = view;
  const found = (id: CheckId, text: string): readonly Finding[] => [finding(id, text, 'Look at both nodes with "kedge audit" before anything is removed')];
  switch (record.kind) {
    case 'unreadable':
      return found('record-unsettled', `${node} has a record of guest ${vmid} that can't be read: ${record.reason}`);
    case 'missing':
      return pid === null ? [] : found('guest-running-elsewhere', `A QEMU of guest ${vmid} runs on ${node} (process ${pid})`);
    case 'record': {
      const { state, generation } = record.record;
      if (state === 'owned' || state === 'releasing') return found('guest-exists-on-target', `${node} has ${state}(${generation}) of guest ${vmid}`);
      if (sourceGeneration === null || generation <= sourceGeneration + 1) return [];
      return found('guest-exists-on-target', `${node} knows guest ${vmid} under generation ${generation}, later than ${sourceGeneration} of its source`);
    }
  }
}

/** Is another migration of it under way? Only a check asks: a migration itself is the one. */
export function checkOtherMigration({ vmid, running }: { vmid: Vmid; running: boolean }): readonly Finding[] {
  if (!running) return [];
  return [finding('guest-migrating', `Guest ${vmid} is being migrated`, `Watch it with "kedge migration watch ${vmid}", or cancel it`)];
}

/** Nothing can be said of a guest whose config can't be read; `reason` names line and column. */
export function checkConfigRead({ vmid, node, reason }: { vmid: Vmid; node: NodeName; reason: string | null }): readonly Finding[] {
  return reason === null ? [] : [finding('config-unreadable', `The config of guest ${vmid} on ${node} can't be read: ${reason}`)];
}
