import { describe, expect, test } from 'vitest';
import { parseNodeName, parseVmid } from '../../../../src/domain/ids.js';
import { blackoutOf, checkBlackouts, type OpenBlackout } from '../../../../src/domain/window/blackout.js';

const [node1, node2, node3] = ['node1', 'node2', 'node3'].map(parseNodeName);
const vmid = parseVmid(101);
const moving = { vmid, nodes: [node1!, node2!] };
const open = (changes: Partial<OpenBlackout> = {}): OpenBlackout => ({
  name: 'freeze',
  nodes: null,
  guests: null,
  endsAt: '2026-12-02T00:00:00.000Z',
  ...changes,
});

describe('a blackout that is on', () => {
  test('concerns every guest and node where it names none', () => {
    expect(blackoutOf([open()], moving)).toEqual(open());
    expect(blackoutOf([], moving)).toBeNull();
  });

  test('concerns moves from or to a node that it names, of a guest that it names', () => {
    expect(blackoutOf([open({ nodes: [node2!] })], moving)).not.toBeNull();
    expect(blackoutOf([open({ nodes: [node3!] })], moving)).toBeNull();
    expect(blackoutOf([open({ guests: [vmid] })], moving)).not.toBeNull();
    expect(blackoutOf([open({ guests: [parseVmid(102)] })], moving)).toBeNull();
    expect(blackoutOf([open({ guests: [vmid], nodes: [node3!] })], moving)).toBeNull();
  });

  test('holds a guest until the last of those ends that concern it', () => {
    const later = open({ name: 'later', endsAt: '2026-12-03T00:00:00.000Z' });
    expect(blackoutOf([open(), later], moving)).toEqual(later);
  });

  test('refuses a move, with its end and the way around it', () => {
    const [found, ...more] = checkBlackouts([open()], { ...moving, pressing: false });
    expect(more).toEqual([]);
    expect(found).toMatchObject({ id: 'blackout', severity: 'blocker', subject: { detail: 'freeze' } });
    expect(found?.text).toContain('2026-12-02T00:00:00.000Z');
    expect(found?.remedy).toContain('--ignore-blackout');
  });

  test('only warns of a move that must not wait', () => {
    expect(checkBlackouts([open()], { ...moving, pressing: true })).toMatchObject([{ id: 'blackout', severity: 'warning' }]);
  });
});
