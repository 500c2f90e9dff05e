import { describe, expect, test } from 'vitest';
import type { AdmissionVerbs } from '../../../../../src/client/admission/admission-verbs.js';
import { changeLimits, grantSlots, openSlots, requestSlot, type SlotPriority, type SlotState } from '../../../../../src/domain/admission.js';
import { parseNodeName } from '../../../../../src/domain/ids.js';
import { runFake } from '../../fake-cluster.js';

const [node1, node2] = [parseNodeName('node1'), parseNodeName('node2')];
const request = (vmid: number, priority: SlotPriority = 'user') => ({
  holder: `migration-${vmid}`,
  runId: 'run',
  nodes: [node1, node2],
  priority,
  network: 'default',
  storages: [{ storage: 'nfs' }, { storage: 'local', node: node2 }],
});

/** Runs a command line over an admission in memory. */
const run = async (argv: readonly string[], before: SlotState = openSlots({})) => {
  let state = before;
  const change = (next: Parameters<typeof changeLimits>[1]) => {
    state = changeLimits(state, next, '2026-03-01T12:00:00.000Z');
    return Promise.resolve(state.limits);
  };
  const admission: AdmissionVerbs = {
    show: () => Promise.resolve(state),
    set: (wanted) => change({ from: 'operator', ...wanted }),
    reset: (wanted) => change({ from: 'operator', reset: true, ...wanted }),
  };
  const result = await runFake(['admission', ...argv], { cluster: { nodes: [node1, node2], admission }, environment: { SUDO_USER: 'ann' } });
  return { ...result, state, changed: state !== before };
};

describe('kedge admission show', () => {
  const limited = openSlots({ limits: { in: 1, bandwidth: 8_388_608, nodes: { node1: { in: null } } } });
  const live = changeLimits(limited, { from: 'operator', setBy: 'ann@desk', settings: { cluster: 4 } }, '2026-03-01T12:00:00.000Z');
  const busy = grantSlots([request(101), request(102, 'balance'), request(103)].reduce(requestSlot, live)).state;

  test('tells who moves, who waits for what in the order of the queue, and where each limit comes from', async () => {
    const { out, exitCode } = await run(['show'], busy);
    expect(exitCode).toBe(0);
    expect(out).toBe(
      [
        'HOLDER         NODES          PRIORITY  NETWORK  STORAGES            MAY TAKE',
        'migration-101  node1 > node2  user      default  nfs,local on node2  2.00 MiB/s',
        '',
        'HOLDER         NODES          PRIORITY  NETWORK  STORAGES            WAITS FOR',
        'migration-103  node1 > node2  user      default  nfs,local on node2  in of node2: 1 of 1',
        'migration-102  node1 > node2  balance   default  nfs,local on node2  in of node2: 1 of 1',
        '',
        'LIMIT      OF          VALUE  FROM        COUNTS',
        'cluster    -               4  live        moves of the cluster',
        'perNode    each            2  default     moves at a node',
        'in         each            1  kedge.yaml  moves into a node',
        'in         node1        none  kedge.yaml  moves into a node',
        'bandwidth  each   8.00 MiB/s  kedge.yaml  bytes per second of a network',
        'Set live by ann@desk at 2026-03-01T12:00:00.000Z; "kedge admission reset" takes it back',
        '',
      ].join('\n'),
    );
  });

  test('tells programs the same as JSON', async () => {
    const { out } = await run(['show', '--json'], busy);
    expect(JSON.parse(out)).toMatchObject({
      leases: [{ holder: 'migration-101', bandwidth: 2_097_152 }],
      waiting: [{ holder: 'migration-103', waitsFor: [{ limit: 'in', of: 'node2', used: 1, allowed: 1 }] }, { holder: 'migration-102' }],
      limits: { now: [{ limit: 'cluster', of: null, value: 4, from: 'live' }, {}, {}, {}, {}], live: { setBy: 'ann@desk' } },
    });
  });

  test('says that there is nothing', async () => {
    expect((await run(['show'])).out).toMatch(/^Nobody moves a guest\n\nNobody waits\n/);
  });
});

describe('kedge admission set', () => {
  test('changes what is named and leaves the rest', async () => {
    const first = await run(['set', '--cluster', '16', '--in', '3', '--bandwidth', '500000000']);
    expect(first.exitCode).toBe(0);
    const { state } = await run(['set', '--in', 'none'], first.state);
    expect(state.live?.settings).toEqual({ cluster: 16, in: null, bandwidth: 500_000_000 });
    expect(state.live?.setBy).toMatch(/^ann@/);
  });

  test.each([
    [['--node', 'node2', '--in', '0', '--per-node', 'none'], { nodes: { node2: { in: 0, perNode: null } } }],
    [['--network', 'default', '--bandwidth', '500000000'], { networks: { default: { bandwidth: 500_000_000 } } }],
    [['--storage', 'nfs', '--per-storage', '1'], { storages: { nfs: { perStorage: 1 } } }],
  ])('changes one by name: %j', async (flags, settings) => {
    expect((await run(['set', ...flags])).state.live?.settings).toEqual(settings);
  });

  test.each([
    [['--in', 'many'], /--in.*"many".*whole number, or none/s],
    [['--in', '-1'], /--in/],
    [['--cluster', 'none'], /--cluster.*"none".*must be a whole number from 0 to 10000/],
    [['--bandwidth', '100'], /--bandwidth.*100.*bytes per second from 1000000/],
    [[], /at least one of --cluster, --per-node/],
    [['--node', 'node2'], /at least one of --per-node, --in, --out/],
    [['--node', 'node2', '--bandwidth', '5000000'], /--bandwidth.*absent with --node/],
    [['--node', 'node9', '--in', '1'], /--node.*"node9".*node1, node2/],
    [['--node', 'node2', '--storage', 'nfs', '--in', '1'], /--storage.*"nfs".*absent with --node/],
    [['--network', '10.1.0.5/24', '--per-network', '1'], /--network.*"10.1.0.5\/24".*without host bits/],
  ])('refuses %j by option, value and remedy, and changes nothing', async (flags, message) => {
    const { exitCode, err, changed } = await run(['set', ...flags]);
    expect([exitCode, changed]).toEqual([2, false]);
    expect(err).toMatch(message);
  });
});

describe('kedge admission reset', () => {
  test('takes back what was set live', async () => {
    const { state } = await run(['set', '--cluster', '16']);
    const { out, state: after } = await run(['reset'], state);
    expect(after.live).toBeUndefined();
    expect(out).toMatch(/cluster +- +8 +default/);
  });
});
