import { describe, expect, it } from 'vitest';
import { signWebhook } from '../../../../src/drivers/hook/sign-webhook.js';

describe('the signature of a webhook', () => {
  it('is that of the Standard Webhooks convention', () => {
    const call = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestamp: 1_614_265_330, body: '{"test": 2432232314}' };
    expect(signWebhook('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', call)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
  });

  it('takes a secret without that prefix as it is', () => {
    const call = { id: 'a', timestamp: 1, body: 'ü' };
    expect(signWebhook('secret', call)).toBe(signWebhook(`whsec_${Buffer.from('secret').toString('base64')}`, call));
  });

  it('is another one for another id, instant, body or secret', () => {
    const call = { id: 'a', timestamp: 1, body: 'b' };
    const all = [
      signWebhook('s', call),
      signWebhook('s', { ...call, id: 'c' }),
      signWebhook('s', { ...call, timestamp: 2 }),
      signWebhook('s', { ...call, body: 'd' }),
      signWebhook('t', call),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it.each(['whsec_', 'whsec_!', ''])('is not made with an empty key: %j', (secret) => {
    expect(() => signWebhook(secret, { id: 'a', timestamp: 1, body: 'b' })).toThrow(expect.objectContaining({ code: 'hook-failed' }));
  });
});
