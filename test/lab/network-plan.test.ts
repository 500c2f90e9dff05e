import { describe, expect, it } from 'vitest';
import { linksOf } from '../../lab/address-plan.js';
import { cableLines, machineLines, switchLines } from '../../lab/network-plan.js';

const links = linksOf({ name: 'node1', role: 'node' });

describe('the network plan', () => {
  it('has one bridge for each network', () => {
    expect(
      switchLines()
        .filter((line) => line.startsWith('link add'))
        .map((line) => line.split(' ')[3]),
    ).toEqual(['br-control', 'br-migration', 'br-guest']);
  });

  it('moves the far end of each cable into the machine and the near end to its bridge', () => {
    expect(cableLines(links, 42).slice(0, 3)).toEqual([
      'link add name n1.control type veth peer name control0 address 02:4b:45:00:00:0b netns 42',
      'link set n1.control master br-control',
      'link set n1.control up',
    ]);
  });

  it("joins a node's guest cable to its own bridge for guests", () => {
    expect(machineLines(links, { guestBridge: true })).toContain('link set guest0 master vmbr0');
  });

  it('gives other machines addresses only', () => {
    expect(machineLines(linksOf({ name: 'client', role: 'client' }), { guestBridge: false })).toEqual([
      'link set lo up',
      'address add 10.90.2.1/23 dev guest0',
      'link set guest0 up',
    ]);
  });
});
