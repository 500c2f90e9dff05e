import { describe, expect, it } from 'vitest';
import { trackedFiles } from './tracked-files.js';

/** Keys as OpenSSH and OpenSSL print them, tokens of grants and of probes, and what somebody would call a password. */
const SECRET = /PRIVATE KEY|openssh-key-v1|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])|"(?:token|password|passphrase|secret|privateKey)"/i;

/** Every text in a history, also inside of the payloads, which are base64. */
function textsOf(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value, Buffer.from(value, 'base64').toString('utf8')];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(textsOf) : [];
}

describe('secrets', () => {
  it('are in no recorded history: neither in inputs nor in results, failures or heartbeats', () => {
    const histories = trackedFiles(/^test\/histories\/.*\.json$/);
    expect(histories.length).toBeGreaterThan(10);
    const found = histories.flatMap(({ path, text }) =>
      textsOf(JSON.parse(text))
        .filter((one) => SECRET.test(one))
        .map((one) => `${path}: ${one.slice(0, 80)}`),
    );
    expect(found).toEqual([]);
  });

  it.each(['eyJ0b2tlbiI6IjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmIn0=', '0123456789abcdef0123456789abcdef', '-----BEGIN OPENSSH PRIVATE KEY-----'])(
    'would be found: %s',
    (text) => {
      expect(textsOf({ events: [{ payloads: [{ data: text }] }] }).some((one) => SECRET.test(one))).toBe(true);
    },
  );

  it('are in no file of this repository', () => {
    const files = trackedFiles(/./).filter(({ text }) => /-----BEGIN [A-Z ]*PRIVATE KEY-----\n[A-Za-z0-9+/=\n]{60,}/.test(text));
    expect(files.map(({ path }) => path)).toEqual([]);
  });
});
