import { describe, expect, test } from 'vitest';
import { DEFINITE_COPY_FAILURES } from '../../activities/interface.js';
import { DEFAULT_TIMINGS } from '../../src/domain/workflow-timings.js';
import { activityProfiles, isDefiniteCopyFailure } from '../../workflows/activity-options.js';

const profiles = activityProfiles(DEFAULT_TIMINGS);

describe('activityProfiles', () => {
  test('ping is bounded in the time until it is taken up, so that a silent node is noticed', () => {
    expect(profiles.ping).toMatchObject({ scheduleToStartTimeout: 15_000, startToCloseTimeout: 60_000, retry: { maximumAttempts: 3 } });
  });

  test('settle is bounded in the same way, and long enough for a start from disk on slow storage', () => {
    expect(profiles.settle).toMatchObject({ scheduleToStartTimeout: 15_000, startToCloseTimeout: 300_000, retry: { maximumAttempts: 3 } });
  });

  test.for(['ping', 'settle', 'idempotent', 'resumable', 'once', 'undo', 'watch', 'presence'] as const)(
    'a lost attempt of %s is noticed in ten seconds',
    (name) => {
      expect(profiles[name].heartbeatTimeout).toBe(10_000);
    },
  );

  test('idempotent is repeated without counting, within ten minutes', () => {
    expect(profiles.idempotent).toMatchObject({ startToCloseTimeout: 300_000, scheduleToCloseTimeout: 600_000 });
    expect(profiles.idempotent.retry).not.toHaveProperty('maximumAttempts');
  });

  test('resumable lasts a day, with a heartbeat, and is not repeated after an answer that is definite', () => {
    expect(profiles.resumable).toMatchObject({ startToCloseTimeout: '24 hours', heartbeatTimeout: 10_000 });
    expect(profiles.resumable.retry?.nonRetryableErrorTypes).toEqual([...DEFINITE_COPY_FAILURES, 'outcome-unknown']);
  });

  test('once has one attempt', () => {
    expect(profiles.once.retry).toEqual({ maximumAttempts: 1 });
    expect(profiles.once.scheduleToStartTimeout).toBe(15_000);
  });

  test('undo may wait for a node as long as it takes', () => {
    expect(profiles.undo).not.toHaveProperty('scheduleToCloseTimeout');
    expect(profiles.undo).not.toHaveProperty('scheduleToStartTimeout');
    expect(profiles.undo.retry).not.toHaveProperty('maximumAttempts');
  });

  test('watch is repeated for as long as it takes, and a cancel of it is not waited for', () => {
    expect(profiles.watch).toMatchObject({ startToCloseTimeout: '365 days', cancellationType: 'TRY_CANCEL' });
    expect(profiles.watch).not.toHaveProperty('scheduleToStartTimeout');
    expect(profiles.watch.retry).not.toHaveProperty('maximumAttempts');
  });

  test('presence is not repeated below the workflow, which must learn of its loss', () => {
    expect(profiles.presence).toMatchObject({ heartbeatTimeout: 10_000, retry: { maximumAttempts: 1 } });
  });

  test.for(['idempotent', 'resumable', 'once', 'undo'] as const)('a cancelled %s call is waited for', (name) => {
    expect(profiles[name].cancellationType).toBe('WAIT_CANCELLATION_COMPLETED');
  });

  test('the definite failures are those of the contract', () => {
    expect(DEFINITE_COPY_FAILURES.every(isDefiniteCopyFailure)).toBe(true);
    expect(isDefiniteCopyFailure('outcome-unknown')).toBe(false);
  });
});
