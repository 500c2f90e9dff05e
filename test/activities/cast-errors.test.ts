import { ApplicationFailure, CancelledFailure } from '@temporalio/activity';
import { describe, expect, test } from 'vitest';
import { failureOf } from '../../activities/cast-errors.js';
import { KedgeError } from '../../src/domain/kedge-error.js';

const running = new AbortController().signal;

describe('failureOf', () => {
  test('takes type and retryability from the table of errors', () => {
    expect(failureOf(new KedgeError('peer-unreachable', 'No route'), running)).toMatchObject({
      type: 'peer-unreachable',
      nonRetryable: false,
      message: 'No route',
    });
    expect(failureOf(new KedgeError('no-space', 'Full', { details: { storage: 'a' } }), running)).toMatchObject({
      type: 'no-space',
      nonRetryable: true,
      details: [{ storage: 'a' }],
    });
  });

  test('keeps the chain of causes', () => {
    const error = new KedgeError('qemu-start-failed', 'No QEMU', { cause: new Error('ENOENT') });
    expect(failureOf(error, running)).toMatchObject({ cause: { type: 'internal', message: 'ENOENT' } });
  });

  test('an unknown error is internal and not repeated', () => {
    expect(failureOf(new TypeError('x is undefined'), running)).toMatchObject({ type: 'internal', nonRetryable: true });
  });

  test('lets failures of Temporal pass', () => {
    const failure = ApplicationFailure.create({ type: 'own' });
    expect(failureOf(failure, running)).toBe(failure);
  });

  test("an aborted call of a cancelled activity is Temporal's cancel; the activity's own word on it stays", () => {
    const controller = new AbortController();
    const reason = new CancelledFailure('CANCELLED');
    controller.abort(reason);
    expect(failureOf(new DOMException('aborted', 'AbortError'), controller.signal)).toBe(reason);
    expect(failureOf(new KedgeError('cancelled', 'In time'), controller.signal)).toMatchObject({ type: 'cancelled' });
  });

  test('stays below what Temporal keeps of a failure', () => {
    const failure = failureOf(new KedgeError('internal', 'x'.repeat(5_000), { details: { long: 'y'.repeat(5_000) } }), running);
    expect(JSON.stringify(failure).length).toBeLessThan(4_000);
    expect(failure).toMatchObject({ details: [{ shortened: true }] });
  });
});
