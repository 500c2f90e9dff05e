import { expect, test } from 'vitest';
import { windowFileOf } from '../../../src/schema/print-window.js';
import { parseWindowFile } from '../../../src/schema/window-file.js';

const good = {
  name: 'patch',
  zone: 'Europe/Berlin',
  start: '2026-12-01T22:00',
  rule: 'FREQ=WEEKLY;BYDAY=TU',
  duration: '4h',
  nodes: ['node1'],
  command: 'true',
};

test('a window is read back as it was written', () => {
  for (const work of [
    {},
    { command: undefined, reboot: 'reboot' },
    { command: undefined, human: 'look' },
    { nodes: 'all', check: 'true', missed: '10m' },
    { force: 'shutdown', parallel: 4 },
  ]) {
    const window = parseWindowFile({ ...good, ...work });
    expect(parseWindowFile(windowFileOf(window))).toEqual(window);
  }
});

test.for<[string, Record<string, unknown>]>([
  ['name', { name: 'Not Good' }],
  ['zone', { zone: 'Mars/Olympus' }],
  ['start', { start: '2026-12-01' }],
  ['rule', { rule: 'FREQ=NEVER' }],
  ['duration', { duration: '10s' }],
  ['nodes', { nodes: [] }],
  ['nodes', { nodes: ['node1', 'node1'] }],
  ['command', { command: undefined }],
  ['command', { reboot: 'reboot' }],
  ['timeout', { timeout: 'soon' }],
  ['atOnce', { atOnce: 0 }],
  ['force', { force: 'gently' }],
  ['parallel', { parallel: 0 }],
])('a wrong %s is refused by its name: %o', ([field, changes]) => {
  expect(() => parseWindowFile({ ...good, ...changes })).toThrow(expect.objectContaining({ code: 'bad-input', details: expect.objectContaining({ field }) }));
});
