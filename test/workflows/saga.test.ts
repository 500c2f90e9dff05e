import { describe, expect, test } from 'vitest';
import { runSaga, SagaAbandoned, type SagaHost, type SagaStep } from '../../workflows/saga.js';

/** A host without Temporal that writes down what happens; `broken` names what fails, as `step` or `undo step`. */
function sagaUnder(broken: readonly string[] = [], decision: 'skipped' | 'abandoned' = 'skipped') {
  const log: string[] = [];
  const act = (what: string) => async (): Promise<void> => {
    log.push(what);
    if (broken.includes(what)) throw new Error(what);
  };
  const steps: readonly SagaStep<'one' | 'two' | 'commit' | 'after'>[] = [
    { name: 'one', forward: act('one'), undo: act('undo one') },
    { name: 'two', forward: act('two'), undo: act('undo two') },
    { name: 'commit', commit: true, forward: act('commit'), undo: act('undo commit') },
    { name: 'after', forward: act('after'), noUndo: 'only forward' },
  ];
  const host: SagaHost<'one' | 'two' | 'commit' | 'after'> = {
    cancellable: (work) => work(),
    shielded: async (work) => {
      log.push('[');
      await work();
      log.push(']');
    },
    persist: async ({ step, work }) => {
      try {
        await work();
        return 'done';
      } catch (error) {
        if (decision === 'abandoned') throw new SagaAbandoned(step, error);
        return 'skipped';
      }
    },
    report: () => undefined,
    committed: () => log.push('committed'),
  };
  return { log, run: () => runSaga(steps, host) };
}

describe('runSaga', () => {
  test('runs the steps in their order, and those after the commit where no cancel reaches them', async () => {
    const { log, run } = sagaUnder();
    await run();
    expect(log).toEqual(['one', 'two', 'commit', 'committed', '[', 'after', ']']);
  });

  test('undoes the failed step too, last one first, where no cancel reaches the undos', async () => {
    const { log, run } = sagaUnder(['two']);
    await expect(run()).rejects.toThrow('two');
    expect(log).toEqual(['one', 'two', '[', 'undo two', 'undo one', ']']);
  });

  test('undoes everything when the commit step surely did not happen', async () => {
    const { log, run } = sagaUnder(['commit']);
    await expect(run()).rejects.toThrow('commit');
    expect(log).toEqual(['one', 'two', 'commit', '[', 'undo commit', 'undo two', 'undo one', ']']);
  });

  test('undoes nothing when a step after the commit fails', async () => {
    const { log, run } = sagaUnder(['after']);
    await run();
    expect(log.filter((entry) => entry.startsWith('undo'))).toEqual([]);
  });

  test('goes on undoing after an undo that the operator skipped', async () => {
    const { log, run } = sagaUnder(['commit', 'undo two']);
    await expect(run()).rejects.toThrow('commit');
    expect(log).toContain('undo one');
  });

  test('stops at an undo that the operator abandoned', async () => {
    const { log, run } = sagaUnder(['commit', 'undo two'], 'abandoned');
    await expect(run()).rejects.toBeInstanceOf(SagaAbandoned);
    expect(log).not.toContain('undo one');
  });
});
