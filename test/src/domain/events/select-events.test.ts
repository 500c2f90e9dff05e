import { describe, expect, it } from 'vitest';
import type { ClusterEvent } from '../../../../src/domain/events/event.js';
import { selectEvents } from '../../../../src/domain/events/select-events.js';
import { parseVmid } from '../../../../src/domain/ids.js';
import { node1, node2, vmid } from '../../cli/stories.js';

const SINCE = '2026-03-01T00:00:00Z';
const event = (id: string, changes: Partial<ClusterEvent> = {}): ClusterEvent => ({
  id,
  at: `2026-03-01T00:00:0${id.length}Z`,
  kind: 'migration-started',
  text: id,
  vmid,
  nodes: [node1],
  workflowId: 'w',
  ...changes,
});
const ids = (events: readonly ClusterEvent[]): readonly string[] => events.map(({ id }) => id);

describe('events', () => {
  it('are in the order of their instants, each once', () => {
    expect(ids(selectEvents([event('ccc'), event('a'), event('bb'), event('a')], { since: SINCE }))).toEqual(['a', 'bb', 'ccc']);
  });

  it('of one instant are always in the same order', () => {
    const same = { at: '2026-03-01T00:00:01Z' };
    expect(ids(selectEvents([event('b', same), event('a', same)], { since: SINCE }))).toEqual(['a', 'b']);
  });

  it('are chosen by instant, node, guest, kind and class', () => {
    const all = [
      event('a', { at: '2026-02-28T23:59:59Z' }),
      event('bb', { nodes: [node1, node2] }),
      event('ccc', { vmid: parseVmid(102) }),
      event('dddd', { kind: 'migration-failed' }),
    ];
    expect(ids(selectEvents(all, { since: SINCE }))).toEqual(['bb', 'ccc', 'dddd']);
    expect(ids(selectEvents(all, { since: SINCE, node: node2 }))).toEqual(['bb']);
    expect(ids(selectEvents(all, { since: SINCE, vmid }))).toEqual(['bb', 'dddd']);
    expect(ids(selectEvents(all, { since: SINCE, sorts: ['failure'] }))).toEqual(['dddd']);
    expect(ids(selectEvents(all, { since: SINCE, sorts: ['migration-started', 'end'] }))).toEqual(['bb', 'ccc']);
  });

  it('are limited to the newest', () => {
    expect(ids(selectEvents([event('a'), event('bb'), event('ccc')], { since: SINCE, limit: 2 }))).toEqual(['bb', 'ccc']);
  });
});
