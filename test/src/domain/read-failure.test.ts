import { ActivityFailure, ApplicationFailure, CancelledFailure, TimeoutFailure } from '@temporalio/common';
import { describe, expect, test } from 'vitest';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { readFailure, WORKER_LOST } from '../../../src/domain/read-failure.js';

const around = (cause: Error): ActivityFailure => new ActivityFailure('Activity task failed', 'copy', '1', 'IN_PROGRESS', undefined, cause);

describe('readFailure', () => {
  test('finds the code of an activity that answered', () => {
    const failure = ApplicationFailure.create({ type: 'no-space', message: 'Disk full', details: [{ storage: 'shared' }] });
    expect(readFailure(around(failure))).toEqual({ code: 'no-space', message: 'Disk full', details: { storage: 'shared' }, answer: 'given' });
  });

  test('tells apart who ended a call without an answer', () => {
    expect(readFailure(around(new TimeoutFailure('late', undefined, 'SCHEDULE_TO_START')))).toMatchObject({ code: 'node-silent', answer: 'not-started' });
    expect(readFailure(around(new TimeoutFailure('late', undefined, 'HEARTBEAT')))).toMatchObject({ code: 'outcome-unknown', answer: 'lost' });
    expect(readFailure(around(new CancelledFailure('cancelled')))).toMatchObject({ code: 'cancelled', answer: 'cancelled' });
    expect(readFailure(around(ApplicationFailure.create({ type: WORKER_LOST })))).toMatchObject({ code: 'outcome-unknown', answer: 'lost' });
  });

  test('a cancel that the activity answered itself is an answer', () => {
    expect(readFailure(around(ApplicationFailure.create({ type: 'cancelled', message: 'In time' })))).toMatchObject({ code: 'cancelled', answer: 'given' });
  });

  test('reads its own errors, and calls what it does not know internal', () => {
    expect(readFailure(new KedgeError('not-found', 'No such guest'))).toMatchObject({ code: 'not-found' });
    expect(readFailure(new TypeError('x is undefined'))).toMatchObject({ code: 'internal', message: 'x is undefined' });
    expect(readFailure('text')).toMatchObject({ code: 'internal', message: 'text' });
  });
});
