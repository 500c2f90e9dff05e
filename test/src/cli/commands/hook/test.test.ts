import { describe, expect, it } from 'vitest';
import type { HookVerbs } from '../../../../../src/client/hooks.js';
import { KedgeError } from '../../../../../src/domain/kedge-error.js';
import { runFake } from '../../fake-cluster.js';

const unexpected = () => Promise.reject(new Error('not expected'));
const hooksThat = (test: HookVerbs['test']): HookVerbs => ({ knownSince: unexpected, deliver: unexpected, test });

describe('kedge hook test', () => {
  it('says what came back', async () => {
    const hooks = hooksThat((hook) => Promise.resolve({ answer: `200 OK of\n${hook}` }));
    expect(await runFake(['hook', 'test', 'pager'], { cluster: { hooks } })).toMatchObject({ out: 'Hook pager took it: 200 OK of pager\n', exitCode: 0 });
  });

  it('exits with 1 when the hook did not take it, and with 2 for what can be no name of one', async () => {
    const hooks = hooksThat(() => Promise.reject(new KedgeError('hook-failed', 'Cannot tell h: it answered 500')));
    const failed = await runFake(['hook', 'test', 'pager'], { cluster: { hooks } });
    expect(failed.exitCode).toBe(1);
    expect(failed.err).toContain('it answered 500 [hook-failed]');
    expect((await runFake(['hook', 'test', 'a.b'], { cluster: { hooks } })).exitCode).toBe(2);
  });
});
