import { describe, expect, test } from 'vitest';
import { readLimitChange } from '../../../src/domain/read-limit-change.js';

describe('a change of limits', () => {
  test.each([
    { from: 'config', settings: {} },
    { from: 'operator', setBy: 'me', reset: true },
    { from: 'operator', setBy: 'me', settings: { cluster: 3, in: null, nodes: { node1: { perNode: null } }, networks: { default: { bandwidth: 5_000_000 } } } },
  ])('is read as it is: %j', (change) => {
    expect(readLimitChange(change)).toEqual(change);
  });

  test.each([
    [null, /change.*null/],
    [{ from: 'me' }, /from.*"me".*config or operator/],
    [{ from: 'config', settings: {}, setBy: 'me' }, /setBy.*"me".*absent/],
    [{ from: 'operator', settings: {} }, /setBy.*absent.*says who/],
    [{ from: 'operator', setBy: 'me', reset: false }, /reset.*false.*must be true/],
    [{ from: 'operator', setBy: 'me', reset: true, settings: {} }, /settings.*absent with "reset"/],
    [{ from: 'config' }, /settings.*absent/],
    [{ from: 'config', settings: { cluster: null } }, /cluster.*null, must be a whole number from 0 to 10000$/],
    [{ from: 'config', settings: { in: '3' } }, /in.*"3".*or none/],
    [{ from: 'config', settings: { perRack: 3 } }, /perRack.*3.*known fields/],
    [{ from: 'config', settings: { nodes: 7 } }, /nodes.*7/],
    [{ from: 'config', settings: { nodes: { node1: 7 } } }, /nodes\.node1.*7/],
    [{ from: 'config', settings: { nodes: { node_1: {} } } }, /nodes.*"node_1".*name of a node/],
    [{ from: 'config', settings: { nodes: { node1: { cluster: 7 } } } }, /nodes\.node1\.cluster.*7/],
    [{ from: 'config', settings: { networks: { '10.1.0.5/24': {} } } }, /networks.*"10.1.0.5\/24".*without host bits/],
    [{ from: 'config', settings: { storages: { 'a b': {} } } }, /storages.*"a b".*name of a storage/],
    [{ from: 'config', settings: { networks: { default: { bandwidth: 100 } } } }, /networks\.default\.bandwidth.*100.*bytes per second from 1000000/],
  ])('is refused by field, value and remedy: %j', (change, message) => {
    expect(() => readLimitChange(change)).toThrow(message);
  });
});
