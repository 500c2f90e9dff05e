import { describe, expect, it } from 'vitest';
import { linksOf, MAX_NODES, nodeAddresses, nodeNames } from '../../lab/address-plan.js';

const everyLink = () =>
  [
    ...nodeNames(MAX_NODES).map((name) => ({ name, role: 'node' as const })),
    { name: 'control', role: 'control' as const },
    { name: 'client', role: 'client' as const },
  ].flatMap(linksOf);

describe('the address plan', () => {
  it('counts nodes from 1', () => {
    expect(nodeNames(3)).toEqual(['node1', 'node2', 'node3']);
    expect(nodeAddresses('node3')).toEqual({ control: '10.90.0.13', migration: '10.90.1.13' });
  });

  it.each([0, -1, 1.5, MAX_NODES + 1, Number.NaN])('refuses a lab of %s nodes', (count) => {
    expect(() => nodeNames(count)).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  it('refuses the address of a machine that is no node', () => {
    expect(() => nodeAddresses('web1')).toThrow(expect.objectContaining({ code: 'bad-input' }));
  });

  it('plugs a node into all three networks, the guest network without an address', () => {
    expect(linksOf({ name: 'node1', role: 'node' }).map(({ network, address }) => [network, address])).toEqual([
      ['control', '10.90.0.11/24'],
      ['migration', '10.90.1.11/24'],
      ['guest', null],
    ]);
  });

  it('keeps switch and relay off the networks', () => {
    expect([...linksOf({ name: 'switch', role: 'switch' }), ...linksOf({ name: 'relay', role: 'relay' })]).toEqual([]);
  });

  it('gives no port, address or MAC twice', () => {
    for (const field of ['port', 'address', 'mac'] as const) {
      const values = everyLink().flatMap((link) => link[field] ?? []);
      expect(new Set(values).size).toBe(values.length);
    }
  });

  it('keeps port names within what the kernel takes', () => {
    expect(everyLink().filter(({ port }) => port.length > 15)).toEqual([]);
  });
});
