import { describe, expect, test, vi } from 'vitest';
import type { LimitSettings } from '../../src/domain/admission-limits.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { keepAdmission, lastGoodLimits } from '../../worker/keep-admission.js';

describe('a control worker', () => {
  test('tells admission the limits of kedge.yaml at once and again and again, and goes on when that fails', async () => {
    const told: (LimitSettings | undefined)[] = [];
    const warnings: unknown[] = [];
    let perNode = 0;
    const stop = keepAdmission(
      {
        ensureAdmission: (limits) => {
          told.push(limits);
          return told.length === 2 ? Promise.reject(new KedgeError('server-unreachable', 'Cannot ask')) : Promise.resolve();
        },
      },
      { limits: () => Promise.resolve({ perNode: (perNode += 1) }), log: { warn: (fields: unknown) => void warnings.push(fields) }, everyMs: 5 },
    );
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(2));
    stop();
    expect(told.slice(0, 3)).toEqual([{ perNode: 1 }, { perNode: 2 }, { perNode: 3 }]);
    expect(warnings).toHaveLength(1);
  });

  test('goes on with the last good limits while kedge.yaml can not be read, and does not start without any', async () => {
    const bad = new KedgeError('bad-config', 'Cannot read kedge.yaml');
    const answers: (LimitSettings | KedgeError)[] = [{ in: 1 }, bad, { in: 2 }];
    const read = () => {
      const next = answers.shift() ?? bad;
      return next instanceof KedgeError ? Promise.reject(next) : Promise.resolve(next);
    };
    const warnings: unknown[] = [];
    const log = { warn: (fields: unknown) => void warnings.push(fields) };
    const limits = await lastGoodLimits(read, log);
    expect([await limits(), warnings.length, await limits(), await limits()]).toEqual([{ in: 1 }, 1, { in: 2 }, { in: 2 }]);
    await expect(lastGoodLimits(read, log)).rejects.toBe(bad);
  });
});
