import { describe, expect, it } from 'vitest';
import { parseMessage } from '../../../../src/drivers/qmp/parse-message.js';

describe('parseMessage', () => {
  it('keeps integers that a double cannot hold as bigint', () => {
    expect(parseMessage('{"return": {"bytes": 9007199254740993, "small": 42}, "id": "a"}')).toEqual({
      kind: 'return',
      id: 'a',
      value: { bytes: 9_007_199_254_740_993n, small: 42 },
    });
  });

  it('leaves long digits inside strings and fractions alone', () => {
    expect(parseMessage('{"return": {"text": "x \\" 9007199254740993", "rate": 1234567890123456.5}}')).toMatchObject({
      value: { text: 'x " 9007199254740993', rate: 1_234_567_890_123_456.5 },
    });
  });

  it('keeps a long integer as number when a double holds it', () => {
    expect(parseMessage('{"return": 1234567890123456}')).toMatchObject({ value: 1_234_567_890_123_456 });
  });

  it('ignores keys that it does not know', () => {
    expect(parseMessage('{"QMP": {"version": {}, "capabilities": ["oob", "x-new"], "more": 1}, "extra": 2}')).toEqual({
      kind: 'greeting',
      capabilities: ['oob', 'x-new'],
    });
  });

  it('reads errors with and without id', () => {
    expect(parseMessage('{"error": {"class": "CommandNotFound", "desc": "no"}, "id": 7}')).toEqual({
      kind: 'error',
      id: 7,
      errorClass: 'CommandNotFound',
      desc: 'no',
    });
    expect(parseMessage('{"error": {"class": "GenericError", "desc": "no"}}')).toMatchObject({ kind: 'error', id: undefined });
  });

  it('takes a null result for a result', () => {
    expect(parseMessage('{"return": null, "id": "a"}')).toMatchObject({ kind: 'return', value: null });
  });

  it('leaves the decimals of a fraction alone, as in the rate of a stream that hardly moves', () => {
    expect(parseMessage('{"return": {"mbps": 0.0014399999999999999, "rate": 1.2345678901234567e-16}, "id": 1}')).toMatchObject({
      value: { mbps: 0.0014399999999999999, rate: 1.2345678901234567e-16 },
    });
  });
});
