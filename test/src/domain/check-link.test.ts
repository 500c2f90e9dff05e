import { describe, expect, test } from 'vitest';
import { checkLink } from '../../../src/domain/check-link.js';
import type { LinkFacts } from '../../../src/domain/link-facts.js';
import { link } from '../../support/migration-facts.js';

const ids = (facts: LinkFacts): readonly string[] => checkLink(facts).map(({ id }) => id);

describe('checkLink', () => {
  test('refuses a link that loses 5 % of its packets, not one that loses a single one', () => {
    expect(ids(link({}, { sent: 800, arrived: 760 }))).toEqual(['packet-loss']);
    expect(ids(link({}, { sent: 800, arrived: 799 }))).toEqual(['link-lossy']);
    expect(checkLink(link({}, { sent: 800, arrived: 760 }))[0]?.text).toContain('40 of 800 packets are lost from node1 to node2');
  });

  test('sees 5 % as 2 % or more in nearly every probe', () => {
    // The chance of fewer than 16 losses among 800 at 5 %, by the sum of the binomial distribution.
    let [term, sum] = [0.95 ** 800, 0];
    for (let lost = 0; lost < 16; lost += 1) {
      sum += term;
      term *= ((800 - lost) / (lost + 1)) * (0.05 / 0.95);
    }
    expect(sum).toBeLessThan(1e-4);
  });

  test('refuses nothing for what a migration that runs may have caused', () => {
    expect(ids(link({ busy: true, bytesPerSecond: null }, { sent: 800, arrived: 700, largeArrived: 0, roundTripMs: 90 }))).toEqual(['link-lossy']);
  });

  test('tells a network that lets no datagrams through from one that is down', () => {
    expect(ids(link({}, { arrived: 0, largeArrived: 0 }))).toEqual(['link-unmeasured']);
    expect(ids(link({ connects: false }, { arrived: 0, largeArrived: 0 }))).toEqual(['migration-network']);
  });

  test('refuses a direction that works when the other one does not: no connection can be opened', () => {
    const findings = checkLink(link({ connects: false, bytesPerSecond: null }, { roundTripMs: null }));
    expect(findings.map(({ id, text }) => [id, text])).toEqual([
      ['migration-network', 'No connection can be opened from node1 to node2 on the migration network'],
    ]);
  });

  test('says nothing of large packets that were not sent, or where most of the small ones are lost, too', () => {
    expect(ids(link({}, { largeSent: 0, largeArrived: 0 }))).toEqual([]);
    expect(ids(link({}, { arrived: 100, largeArrived: 0 }))).toEqual(['packet-loss']);
  });

  test('tests an older Kedge by a connection only', () => {
    expect(ids({ ...link(), migration: { kind: 'unprobed', reason: 'node2 has an older Kedge', connects: true } })).toEqual(['link-unmeasured']);
    expect(ids({ ...link(), migration: { kind: 'unprobed', reason: 'node2 has an older Kedge', connects: false } })).toEqual(['migration-network']);
  });

  test('tells the same of the clocks from both ends', () => {
    const control = { kind: 'answered', ownProtocol: 1, peerProtocol: 1, roundTripMs: 1 } as const;
    const one = checkLink({ ...link(), control: { ...control, clockSkewMs: 60_000 } });
    const { from, to } = link();
    const other = checkLink({ ...link(), from: to, to: from, control: { ...control, clockSkewMs: -60_000 } });
    expect(one).toEqual(other);
    expect(one[0]?.text).toBe('The clock of node2 is about 60 s ahead of that of node1');
  });
});
