import { describe, expect, test } from 'vitest';
import { deviceName, isFit, judgeDevice, judgeFile, type DeviceLook, type DeviceQuestion } from '../../../src/domain/fence-test.js';
import { parseNodeName } from '../../../src/domain/ids.js';

const NODE = parseNodeName('node2');
const FACTS = {
  parameters: ['action', 'ip', 'ipaddr', 'password', 'delay', 'verbose', 'port_as_ip'],
  actions: ['on', 'off', 'reboot', 'status'],
  isFabric: false,
};
const LOOK: DeviceLook = { program: null, facts: FACTS, power: 'on', said: '', tookMs: 300 };

function judged(parameters: Record<string, string>, look: Partial<DeviceLook> = {}, more: Partial<DeviceQuestion> = {}): readonly string[] {
  const device = { agent: '/usr/sbin/fence_x', timeoutSeconds: 60, parameters };
  const problems = judgeDevice({ node: NODE, device, look: { ...LOOK, ...look }, isHeard: true, twins: [], ...more });
  for (const { remedy } of problems) expect(remedy).not.toBe('');
  return problems.map(({ severity, field, message }) => `${severity} ${field}: ${message}`);
}

describe('the device of a node', () => {
  test('is fit when it answers, whatever it says of a node that is not heard', () => {
    expect(judged({ 'ip': '192.0.2.1', 'port-as-ip': '1' })).toEqual([]);
    expect(judged({}, { power: 'off' }, { isHeard: false })).toEqual([]);
    expect(judged({}, { power: 'off' }, { isHeard: null })).toEqual([]);
    expect(judged({ whatever: '1' }, { facts: null })).toEqual([]);
    expect(judged({ delay: '0' }, {}, { device: { agent: '/f', timeoutSeconds: 2, parameters: { delay: '0' } } })).toEqual([]);
  });

  test.each<[string, Record<string, string>, Partial<DeviceLook>, Partial<DeviceQuestion>, RegExp]>([
    ['says off of a node that is heard', {}, { power: 'off' }, {}, /^error nodes.node2: its device says "off", and node2 is heard/],
    ['does not tell', {}, { power: 'unknown', said: 'it took longer than 60 s' }, {}, /^error nodes.node2: .*does not tell whether it is on: it took longer/],
    ['has a parameter that its agent does not know', { pasword: 'x' }, {}, {}, /^error nodes.node2.parameters.pasword: .*does not know this parameter/],
    ['cuts no power', {}, { facts: { ...FACTS, isFabric: true } }, {}, /^error nodes.node2.agent: .*cuts storage or network off, not power/],
    ['can not tell that it is off', {}, { facts: { ...FACTS, actions: ['off'] } }, {}, /^error nodes.node2.agent: .*has no action "status"/],
    ['is that of another node', {}, {}, { twins: ['node3'] }, /^error nodes.node2.parameters: are those of node3 too/],
    ['waits for longer than it may', { delay: '60' }, {}, {}, /^error nodes.node2.parameters.delay: is no shorter than timeoutSeconds \(60\)/],
    ['is too slow', {}, { tookMs: 16_000 }, {}, /^warning nodes.node2.timeoutSeconds: is 60, and "off" may take 64 s/],
    ['has a value that loses its end', { password: 'x ' }, {}, {}, /^warning nodes.node2.parameters.password: ends with a blank/],
    ['has a value that loses its quotes', { password: '"x "' }, {}, {}, /^warning nodes.node2.parameters.password: is in double quotes/],
    ['writes passwords into logs', { verbose: '1' }, {}, {}, /^warning nodes.node2.parameters.verbose: has agents write/],
    [
      'has a program that is not there',
      {},
      { program: { severity: 'error', message: 'is not there', remedy: 'r' }, facts: null, power: 'unknown' },
      {},
      /^error nodes.node2.agent: is not there$/,
    ],
  ])('is told when it %s', (_, parameters, look, more, told) => {
    expect(judged(parameters, look, more)).toEqual([expect.stringMatching(told)]);
  });

  test('is named by address and plug', () => {
    expect([deviceName({ ip: 'a', plug: '3' }), deviceName({ ipaddr: 'a' }), deviceName({})]).toEqual(['a plug 3', 'a', '-']);
  });
});

test('nodes without a device are a warning, names of no node an error', () => {
  const problems = judgeFile({ nodes: [NODE, parseNodeName('node3')], configured: ['node2', 'nod3'] });
  expect(problems.map(({ severity, field }) => [severity, field])).toEqual([
    ['error', 'nodes.nod3'],
    ['warning', 'nodes'],
  ]);
  expect(isFit({ place: '', tests: [], problems })).toBe(false);
  expect(isFit({ place: '', tests: [], problems: problems.slice(1) })).toBe(true);
});
