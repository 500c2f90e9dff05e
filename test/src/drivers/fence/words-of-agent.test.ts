import { describe, expect, test } from 'vitest';
import { wordsOfAgent } from '../../../../src/drivers/fence/words-of-agent.js';

const words = (text: string, parameters: Record<string, string> = {}, wasCut = false): string => wordsOfAgent(text, { parameters, wasCut });

describe('what a fence agent wrote', () => {
  test('is told on one line, each sentence once, without dates and hints', () => {
    const real =
      "WARNING:root:Parse error: Ignoring unknown option 'plug=1'\n\nERROR:root:Failed: Timed out waiting to power OFF\n\n\n2026-11-27 14:38:28,874 ERROR: Failed: Timed out waiting to power OFF\n\n\n2026-11-27 14:38:28,874 ERROR: Please use '-h' for usage\n";
    expect(words(real)).toBe("Parse error: Ignoring unknown option 'plug=1'; Failed: Timed out waiting to power OFF");
  });

  test.each([
    ['password', 'hunter2', 'login hunter2 refused', 'login … refused'],
    ['community', 'hush', '-c hush', '-c …'],
    // A name that nobody knows is repeated by the agent as it is.
    ['pasword', 'hunter2', "Ignoring unknown option 'pasword=hunter2'", "Ignoring unknown option 'pasword=…'"],
    ['pwd', 'ab', 'pwd ab', 'pwd …'],
    ['passwd', 'a b&c', 'GET /login?p=a%20b%26c', 'GET /login?p=…'],
    ['password', 'hunter2 ', 'bad hunter2', 'bad …'],
    ['password', 'hunter2', `Authorization: Basic ${Buffer.from('admin:hunter2').toString('base64')}`, 'Authorization: Basic …'],
  ])('hides the value of %s (%s)', (name, value, text, told) => {
    expect(words(text, { username: 'admin', [name]: value })).toBe(told);
  });

  test('tells what is no secret: addresses, plugs, names, switches', () => {
    const parameters = { ip: '192.0.2.1', plug: 'node2', username: 'admin', lanplus: 'true', unknown: '1' };
    expect(words('admin at 192.0.2.1 plug node2: true 1', parameters)).toBe('admin at 192.0.2.1 plug node2: true 1');
  });

  test('hides the longer of two secrets first, and the end of one whose begin was cut off', () => {
    expect(words('hunter2', { password: 'hunter', token: 'hunter2' })).toBe('…');
    expect(words('nter2 said', { password: 'hunter2' }, true)).toBe('aid');
  });
});
