import { describe, expect, it } from 'vitest';
import { classifyQemuState, RUN_STATES, type MigrationSide, type RunState } from '../../../../src/drivers/qemu/classify-qemu-state.js';
import { MIGRATION_STATUSES, type MigrationStatus } from '../../../../src/drivers/qemu/migration-info.js';

const SIDES = ['source', 'target'] as const;
const everything = RUN_STATES.flatMap((runState) => MIGRATION_STATUSES.flatMap((status) => SIDES.map((side) => ({ runState, status, side }))));
const where = (matches: (look: { runState: RunState; status: MigrationStatus; side: MigrationSide }) => boolean): typeof everything =>
  everything.filter(matches);
const statesOf = (looks: typeof everything): string[] => [...new Set(looks.map(classifyQemuState))];

const STANDING: readonly RunState[] = ['debug', 'guest-panicked', 'internal-error', 'io-error', 'prelaunch', 'restore-vm', 'save-vm', 'shutdown', 'watchdog'];

describe('classifyQemuState over all runstates, statuses and sides', () => {
  it('says running exactly when a vCPU may run', () => {
    const running = where((look) => classifyQemuState(look) === 'running');
    expect([...new Set(running.map(({ runState }) => runState))].sort()).toEqual(['colo', 'other', 'running', 'suspended']);
    expect(statesOf(where(({ runState }) => runState === 'running'))).toEqual(['running']);
  });

  it('says loaded only for a completed target that stands still, for whatever reason the source gave', () => {
    const loaded = where((look) => classifyQemuState(look) === 'loaded');
    expect(loaded.map(({ status, side }) => `${side} ${status}`)).toEqual(loaded.map(() => 'target completed'));
    expect(loaded.map(({ runState }) => runState).sort()).toEqual([...STANDING, 'paused'].sort());
  });

  it('says postmigrate only when this attempt was completed', () => {
    expect(where((look) => classifyQemuState(look) === 'postmigrate')).toEqual(SIDES.map((side) => ({ runState: 'postmigrate', status: 'completed', side })));
    expect(statesOf(where(({ runState, status }) => runState === 'postmigrate' && status !== 'completed'))).toEqual(['paused']);
  });

  it('says pre-switchover only when QEMU waits for its continuation', () => {
    expect(where((look) => classifyQemuState(look) === 'pre-switchover')).toEqual(
      SIDES.map((side) => ({ runState: 'finish-migrate', status: 'pre-switchover', side })),
    );
  });

  it('waits while the final pass and its ends pass by', () => {
    expect(statesOf(where(({ runState, status }) => runState === 'finish-migrate' && status !== 'pre-switchover'))).toEqual(['device']);
  });

  it('says inmigrate for a target that still loads, whatever its status', () => {
    expect(statesOf(where(({ runState }) => runState === 'inmigrate'))).toEqual(['inmigrate']);
  });

  it('says paused for a guest that stands still for a reason of its own and was not just loaded', () => {
    expect(statesOf(where(({ runState, status, side }) => STANDING.includes(runState) && !(side === 'target' && status === 'completed')))).toEqual(['paused']);
  });

  it.each([
    ['running', 'active', 'source', 'running'],
    ['finish-migrate', 'pre-switchover', 'source', 'pre-switchover'],
    ['finish-migrate', 'device', 'source', 'device'],
    ['finish-migrate', 'active', 'source', 'device'],
    ['postmigrate', 'completed', 'source', 'postmigrate'],
    ['running', 'failed', 'source', 'running'],
    ['running', 'completed', 'source', 'running'],
    ['paused', 'completed', 'source', 'paused'],
    ['postmigrate', 'cancelled', 'source', 'paused'],
    ['inmigrate', 'none', 'target', 'inmigrate'],
    ['inmigrate', 'active', 'target', 'inmigrate'],
    ['paused', 'completed', 'target', 'loaded'],
    ['running', 'completed', 'target', 'running'],
    ['paused', 'active', 'target', 'paused'],
  ] as const)('reads %s with %s on the %s as %s', (runState, status, side, state) => {
    expect(classifyQemuState({ runState, status, side })).toBe(state);
  });
});
