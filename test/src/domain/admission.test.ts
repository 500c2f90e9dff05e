import { describe, expect, test } from 'vitest';
import {
  changeLimits,
  grantSlots,
  openSlots,
  releaseSlot,
  requestSlot,
  withoutHolders,
  type SlotPriority,
  type SlotRequest,
  type SlotState,
} from '../../../src/domain/admission.js';
import type { LimitSettings } from '../../../src/domain/admission-limits.js';
import { blockersOf, needsLeastShare, useOf, type SlotNeeds } from '../../../src/domain/admission-use.js';
import { parseNodeName } from '../../../src/domain/ids.js';

const limits = { perNode: 1, cluster: 2 };
const empty: SlotState = { limits, leases: [], waiting: [] };

function request(holder: string, nodes: string, priority: SlotPriority = 'user', needs: Omit<SlotNeeds, 'nodes'> = {}): SlotRequest {
  return { holder, runId: `run-of-${holder}`, nodes: nodes.split(' ').map(parseNodeName), priority, ...needs };
}
/** Under limits that hold nothing back but what is given. */
const under = (given: LimitSettings, ...requests: readonly SlotRequest[]): SlotState =>
  requests.reduce(requestSlot, openSlots({ limits: { perNode: 100, cluster: 100, ...given } }));
const reasons = ({ leases, waiting: queue, limits: now }: SlotState): readonly string[] =>
  queue
    .flatMap((each) => blockersOf(each, { limits: now, use: useOf(leases, now) }))
    .map(({ limit, of, used, allowed }) => `${limit} ${of ?? '-'} ${used}/${allowed}`);
const waiting = (...requests: ReturnType<typeof request>[]): SlotState => requests.reduce(requestSlot, empty);
const granted = (state: SlotState): readonly string[] => grantSlots(state).granted.map((lease) => lease.holder);

describe('admission', () => {
  test('grants in the order of arrival', () => {
    expect(granted(waiting(request('a', 'n1 n2'), request('b', 'n3 n4'), request('c', 'n5 n6')))).toEqual(['a', 'b']);
  });

  test('grants the more urgent first', () => {
    expect(granted(waiting(request('a', 'n1 n2', 'balance'), request('b', 'n1 n2', 'failure')))).toEqual(['b']);
  });

  test('lets a request pass one whose node is busy', () => {
    expect(granted(waiting(request('a', 'n1 n2'), request('b', 'n2 n3'), request('c', 'n3 n4')))).toEqual(['a', 'c']);
  });

  test('counts a node as source and as target', () => {
    const { state } = grantSlots(waiting(request('a', 'n1 n2')));
    expect(granted(requestSlot(state, request('b', 'n2 n1')))).toEqual([]);
  });

  test('a repeated request changes nothing, before the grant and after it', () => {
    const once = waiting(request('a', 'n1 n2'));
    expect(requestSlot(once, request('a', 'n1 n2'))).toBe(once);
    const { state } = grantSlots(once);
    expect(requestSlot(state, request('a', 'n1 n2'))).toBe(state);
  });

  test('a later run of the same holder replaces what the dead run held, and a late release of that run does no harm', () => {
    const { state } = grantSlots(waiting(request('a', 'n1 n2')));
    const second = { ...request('a', 'n3 n4'), runId: 'second' };
    const after = requestSlot(state, second);
    expect(after.leases).toEqual([]);
    expect(releaseSlot(after, request('a', 'n1 n2')).waiting).toEqual([second]);
  });

  test('a release makes room, and an unknown one is fine', () => {
    const { state } = grantSlots(waiting(request('a', 'n1 n2'), request('b', 'n1 n2')));
    expect(granted(releaseSlot(state, request('nobody', 'n1')))).toEqual([]);
    expect(granted(releaseSlot(state, request('a', 'n1 n2')))).toEqual(['b']);
  });

  test('ended holders lose their leases', () => {
    const { state } = grantSlots(waiting(request('a', 'n1 n2'), request('b', 'n1 n2')));
    expect(granted(withoutHolders(state, ['a']))).toEqual(['b']);
  });
});

describe('the limits', () => {
  test('hold for what comes in and what goes out of a node, each for itself', () => {
    const state = under({ in: 1, out: 2 }, request('a', 'n1 n2'), request('b', 'n1 n3'), request('c', 'n1 n4'), request('d', 'n5 n2'), request('e', 'n2 n1'));
    expect(granted(state)).toEqual(['a', 'b', 'e']);
    expect(reasons(grantSlots(state).state)).toEqual(['out n1 2/2', 'in n2 1/1']);
  });

  test('of one node win over those for all nodes, also where they allow more', () => {
    const one = { in: 1, nodes: { n2: { in: 2 }, n3: { in: 0 }, n4: { in: null } } };
    const requests = ['n2', 'n2', 'n2', 'n3', 'n4', 'n4', 'n4'].map((target, at) => request(String(at), `n1 ${target}`));
    expect(granted(under(one, ...requests))).toEqual(['0', '1', '4', '5', '6']);
  });

  test('hold for a network, and not for a migration whose network is not known', () => {
    const over = (holder: string, network?: string) => request(holder, 'n1 n2', 'user', network === undefined ? {} : { network });
    expect(
      granted(under({ perNetwork: 1, networks: { fast: { perNetwork: 2 } } }, over('a', 'x'), over('b', 'x'), over('c'), over('d', 'fast'), over('e', 'fast'))),
    ).toEqual(['a', 'c', 'd', 'e']);
  });

  test("hold for a shared storage as a whole, and for each node's own of one name", () => {
    const [n2, n3] = [parseNodeName('n2'), parseNodeName('n3')];
    const onto = (holder: string, ...storages: NonNullable<SlotNeeds['storages']>) => request(holder, 'n1 n2', 'user', { storages });
    const local = (node: typeof n2) => ({ storage: 'local', node });
    const state = under(
      { perStorage: 1 },
      onto('a', local(n2)),
      onto('b', local(n3)),
      onto('c', local(n2)),
      onto('d', { storage: 'nfs' }),
      onto('e', { storage: 'nfs' }, local(n3)),
    );
    expect(granted(state)).toEqual(['a', 'b', 'd']);
    expect(reasons(grantSlots(state).state)).toEqual(['perStorage local on n2 1/1', 'perStorage nfs 1/1', 'perStorage local on n3 1/1']);
  });

  test('give each of a network an equal share of its bandwidth, or what it would take at most', () => {
    const over = (holder: string, needs: Omit<SlotNeeds, 'nodes'> = {}) => request(holder, 'n1 n2', 'user', { network: 'x', ...needs });
    const state = under(
      { bandwidth: 9_000_000, perNetwork: 3 },
      over('a'),
      over('b', { bandwidthLimit: 1_000_000 }),
      over('c', { bandwidthLimit: 8_000_000 }),
      over('d'),
    );
    expect(grantSlots(state).granted.map(({ bandwidth }) => bandwidth)).toEqual([3_000_000, 1_000_000, 3_000_000]);
  });

  test('let a move wait, and say why, rather than give it a share with which it would not get anywhere', () => {
    const over = (holder: string, needs: Omit<SlotNeeds, 'nodes'> = {}) => request(holder, 'n1 n2', 'user', { network: 'x', ...needs });
    const state = under(
      { bandwidth: 2_500_000, perNetwork: 8 },
      over('a'),
      over('b', { bandwidthLimit: 500_000 }),
      over('c'),
      over('d', { bandwidthLimit: 100_000 }),
    );
    const full = grantSlots(state);
    // A small limit of its own takes a place as any other, so that those who want a whole share have theirs.
    expect(full.granted.map(({ holder, bandwidth }) => [holder, bandwidth])).toEqual([
      ['a', 1_250_000],
      ['b', 500_000],
    ]);
    expect(reasons(full.state)).toEqual(['bandwidth x 1750000/2500000', 'bandwidth x 2/2', 'bandwidth x 2/2']);
    expect(granted(releaseSlot(full.state, request('b', 'n1')))).toEqual(['c']);
  });

  test('give all of a bandwidth to one move after the other where it is worth no more', () => {
    const over = (holder: string) => request(holder, 'n1 n2', 'user', { network: 'x' });
    const state = grantSlots(under({ bandwidth: 1_000_000 }, over('a'), over('b')));
    expect(state.granted.map(({ holder, bandwidth }) => [holder, bandwidth])).toEqual([['a', 1_000_000]]);
    expect(granted(releaseSlot(state.state, request('a', 'n1')))).toEqual(['b']);
  });

  test('of an older Kedge divide a bandwidth by all slots, and are told apart where that makes a difference', () => {
    const over = (holder: string) => request(holder, 'n1 n2', 'user', { network: 'x' });
    const state = under({ bandwidth: 2_000_000, perNetwork: 4 }, over('a'), over('b'), over('c'));
    expect(grantSlots(state, { leastShare: 0 }).granted.map(({ bandwidth }) => bandwidth)).toEqual([500_000, 500_000, 500_000]);
    expect(needsLeastShare(state.waiting, state.limits)).toBe(true);
    expect(needsLeastShare(state.waiting, { ...state.limits, bandwidth: 4_000_000 })).toBe(false);
    expect(needsLeastShare([request('e', 'n1 n2')], state.limits)).toBe(false);
  });

  test('let leases with larger shares run, and grant smaller ones only as far as the total reaches', () => {
    const over = (holder: string) => request(holder, 'n1 n2', 'user', { network: 'x' });
    const { state } = grantSlots(under({ bandwidth: 8_000_000, perNetwork: 2 }, over('a'), over('b')));
    const more = changeLimits(state, { from: 'config', settings: { perNode: 100, cluster: 100, bandwidth: 8_000_000, perNetwork: 8 } }, 'now');
    const full = grantSlots(['c', 'd', 'e'].map(over).reduce(requestSlot, more)).state;
    expect(reasons(full)).toEqual(Array.from({ length: 3 }, () => 'bandwidth x 8000000/8000000'));
    expect(grantSlots(releaseSlot(full, request('a', 'n1'))).granted.map(({ bandwidth }) => bandwidth)).toEqual([1_000_000, 1_000_000, 1_000_000]);
  });

  test('count a lease from before the bandwidth was limited as one share', () => {
    const over = (holder: string) => request(holder, 'n1 n2', 'user', { network: 'x' });
    const { state } = grantSlots(under({}, over('a')));
    const limited = changeLimits(state, { from: 'operator', setBy: 'me', settings: { bandwidth: 8_000_000, perNetwork: 2 } }, 'now');
    expect(granted(['b', 'c'].map(over).reduce(requestSlot, limited))).toEqual(['b']);
  });

  test('that are raised grant at once, that are lowered take nothing away', () => {
    const { state } = grantSlots(under({ cluster: 1 }, request('a', 'n1 n2'), request('b', 'n3 n4')));
    const raised = grantSlots(changeLimits(state, { from: 'operator', setBy: 'me', settings: { cluster: 2 } }, 'now'));
    expect(raised.granted.map(({ holder }) => holder)).toEqual(['b']);
    const lowered = changeLimits(requestSlot(raised.state, request('c', 'n5 n6')), { from: 'operator', setBy: 'me', settings: { cluster: 1 } }, 'now');
    expect(lowered.leases).toHaveLength(2);
    expect(granted(releaseSlot(lowered, request('a', 'n1')))).toEqual([]);
    expect(granted(releaseSlot(releaseSlot(lowered, request('a', 'n1')), request('b', 'n1')))).toEqual(['c']);
  });

  test('set live win over those of kedge.yaml, also when that changes, until they are taken back', () => {
    const told = changeLimits(openSlots({}), { from: 'config', settings: { perNode: 3, nodes: { n1: { in: 1, out: 1 } } } }, '1');
    const live = changeLimits(told, { from: 'operator', setBy: 'me', settings: { perNode: 5, nodes: { n1: { in: 7 } } } }, '2');
    expect(live.limits).toMatchObject({ cluster: 8, perNode: 5, nodes: { n1: { in: 7, out: 1 } } });
    const again = changeLimits(live, { from: 'config', settings: { perNode: 4, cluster: 9 } }, '3');
    expect(again.limits).toEqual({ cluster: 9, perNode: 5, nodes: { n1: { in: 7 } } });
    expect(again.live).toMatchObject({ setBy: 'me', at: '2' });
    const back = changeLimits(again, { from: 'operator', setBy: 'me', reset: true }, '4');
    expect([back.limits, back.live]).toEqual([{ cluster: 9, perNode: 4 }, undefined]);
  });

  test('stay as they are when they are told a second time', () => {
    const told = changeLimits(openSlots({}), { from: 'config', settings: { nodes: { n1: { in: 1, out: 2 } } } }, '1');
    expect(changeLimits(told, { from: 'config', settings: { nodes: { n1: { out: 2, in: 1 } } } }, '2')).toBe(told);
    const live = changeLimits(told, { from: 'operator', setBy: 'me', settings: { in: 4 } }, '3');
    expect(changeLimits(live, { from: 'operator', setBy: 'you', settings: { in: 4 } }, '4')).toBe(live);
    expect(changeLimits(told, { from: 'operator', setBy: 'me', reset: true }, '5')).toBe(told);
  });
});

describe('a state of an older Kedge', () => {
  const old: SlotState = { limits: { perNode: 1, cluster: 5 }, leases: [request('a', 'n1 n2')], waiting: [request('b', 'n2 n3'), request('c', 'n3 n4')] };

  test('goes on with its limits, leases and queue, until kedge.yaml is told', () => {
    const read = openSlots({ state: old, limits: { cluster: 99 } });
    expect(read).toEqual({ ...old, configured: { perNode: 1, cluster: 5 } });
    expect(granted(read)).toEqual(['c']);
    expect(changeLimits(read, { from: 'config', settings: {} }, 'now').limits).toEqual({ perNode: 2, cluster: 8 });
  });

  test('still finds its limits in one of today', () => {
    expect(changeLimits(openSlots({}), { from: 'config', settings: { in: 1 } }, 'now').limits).toMatchObject({ perNode: 2, cluster: 8 });
  });
});
