import { describe, expect, test } from 'vitest';
import { grantSlots, releaseSlot, requestSlot, withoutHolders, type SlotPriority, type SlotState } from '../../../src/domain/admission.js';
import { parseNodeName } from '../../../src/domain/ids.js';

const limits = { perNode: 1, cluster: 2 };
const empty: SlotState = { limits, leases: [], waiting: [] };

function request(holder: string, nodes: string, priority: SlotPriority = 'user') {
  return { holder, runId: `run-of-${holder}`, nodes: nodes.split(' ').map(parseNodeName), priority };
}
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
