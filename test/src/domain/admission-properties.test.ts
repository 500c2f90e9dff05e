/** What holds for every history of admission, judged by a reckoning of its own: it shares nothing with the rules but the types. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { changeLimits, grantSlots, openSlots, releaseSlot, requestSlot, type SlotRequest, type SlotState } from '../../../src/domain/admission.js';
import { rowsOf, type LimitSettings, type SlotLimits } from '../../../src/domain/admission-limits.js';
import { parseNodeName } from '../../../src/domain/ids.js';
import { readLimitSettings } from '../../../src/domain/read-limit-change.js';

const NODES = ['n1', 'n2', 'n3'].map(parseNodeName);
/** Bytes per second that a copy gets at least, unless it wants less. */
const LEAST = 1_000_000;
const count = fc.option(fc.integer({ min: 0, max: 4 }), { nil: undefined });
const settings = fc
  .record({
    cluster: fc.integer({ min: 0, max: 6 }),
    perNode: fc.integer({ min: 0, max: 4 }),
    in: count,
    out: count,
    perNetwork: count,
    perStorage: count,
    bandwidth: fc.option(fc.integer({ min: 1_000_000, max: 9_000_000 }), { nil: undefined }),
    nodes: fc.record({ n1: fc.record({ perNode: count, in: count }) }),
    networks: fc.record({ default: fc.record({ perNetwork: count }) }),
    storages: fc.record({ nfs: fc.record({ perStorage: count }) }),
  })
  .map(readLimitSettings);

const requests = fc
  .record({
    number: fc.integer({ min: 0, max: 9 }),
    run: fc.constantFrom('1', '2'),
    source: fc.constantFrom(...NODES),
    target: fc.constantFrom(...NODES),
    priority: fc.constantFrom('failure', 'maintenance', 'user', 'balance'),
    network: fc.constantFrom('default', 'fd00::/64', null),
    storage: fc.constantFrom('nfs', 'local', null),
    bandwidthLimit: fc.constantFrom(500_000, 3_000_000, null),
  })
  .map(({ number, run, source, target, priority, network, storage, bandwidthLimit }): SlotRequest => {
    const disk = storage === 'nfs' ? { storage } : { storage: 'local', node: target };
    return {
      holder: `migration-${number}`,
      runId: run,
      nodes: [source, target],
      priority,
      ...(network === null ? {} : { network }),
      ...(storage === null ? {} : { storages: [disk] }),
      ...(bandwidthLimit === null ? {} : { bandwidthLimit }),
    };
  });

type Message = { readonly ask: SlotRequest } | { readonly release: SlotRequest };
const messages = fc.array(
  fc.oneof(
    requests.map((ask): Message => ({ ask })),
    requests.map((release): Message => ({ release })),
  ),
  { maxLength: 40 },
);
const step = (state: SlotState, message: Message): SlotState => ('ask' in message ? requestSlot(state, message.ask) : releaseSlot(state, message.release));

/** The limits that these leases are over; `grown`: bandwidth that has no share is not counted. */
function overstepped({ leases, limits }: { leases: readonly SlotRequest[]; limits: SlotLimits }): readonly string[] {
  const own = (kind: 'nodes' | 'networks' | 'storages', name: string, limit: 'perNode' | 'in' | 'out' | 'perNetwork' | 'perStorage'): number =>
    limits[kind]?.[name]?.[limit] ?? limits[limit] ?? Infinity;
  const number = (has: (lease: SlotRequest) => boolean): number => leases.filter(has).length;
  const places = new Set(leases.flatMap(({ storages = [] }) => storages.map(({ storage, node }) => `${storage} ${node ?? ''}`)));
  const checks: [string, number, number][] = [
    ['cluster', leases.length, limits.cluster],
    ...NODES.flatMap((node): [string, number, number][] => [
      [`perNode ${node}`, number(({ nodes }) => nodes.includes(node)), own('nodes', node, 'perNode')],
      [`out ${node}`, number(({ nodes }) => nodes[0] === node), own('nodes', node, 'out')],
      [`in ${node}`, number(({ nodes }) => nodes[1] === node), own('nodes', node, 'in')],
    ]),
    ...['default', 'fd00::/64'].flatMap((name): [string, number, number][] => {
      const here = leases.filter(({ network }) => network === name);
      const granted = here.reduce((sum, { bandwidth = 0 }) => sum + bandwidth, 0);
      return [
        [`perNetwork ${name}`, here.length, own('networks', name, 'perNetwork')],
        [`bandwidth ${name}`, granted, limits.bandwidth ?? Infinity],
        [`share ${name}`, here.length, Math.max(1, Math.floor((limits.bandwidth ?? Infinity) / LEAST))],
      ];
    }),
    ...[...places].map((place): [string, number, number] => [
      `perStorage ${place}`,
      number(({ storages = [] }) => storages.some(({ storage, node }) => `${storage} ${node ?? ''}` === place)),
      own('storages', place.split(' ')[0] ?? '', 'perStorage'),
    ]),
  ];
  return checks.filter(([, has, may]) => has > may).map(([name]) => name);
}

function holds(check: (limits: LimitSettings, history: readonly Message[]) => void): void {
  fc.assert(fc.property(settings, messages, check), { numRuns: 300 });
}

const play = (limits: LimitSettings, history: readonly Message[]): SlotState =>
  history.reduce((state, message) => grantSlots(step(state, message)).state, openSlots({ limits }));

describe('admission', () => {
  test('never grants over a limit', () => {
    holds((limits, history) => {
      history.reduce((state, message) => {
        const next = grantSlots(step(state, message)).state;
        expect(overstepped(next)).toEqual([]);
        return next;
      }, openSlots({ limits }));
    });
  });

  test('grants no share of a bandwidth with which a copy would not get anywhere, unless the copy wants no more', () => {
    holds((limits, history) => {
      const { leases } = play(limits, history);
      for (const { bandwidth, bandwidthLimit = Infinity } of leases) expect(bandwidth ?? Infinity).toBeGreaterThanOrEqual(Math.min(LEAST, bandwidthLimit));
    });
  });

  test('serves whoever is alone, unless a limit is 0, however many share the bandwidth', () => {
    holds((limits, history) => {
      const zero = rowsOf(limits).some(({ value }) => value === 0);
      const requested = history.flatMap((message) => ('ask' in message ? [message.ask] : []));
      for (const request of zero ? [] : requested) expect(grantSlots({ ...openSlots({ limits }), waiting: [request] }).granted).toHaveLength(1);
    });
  });

  test('lets nobody wait who could be served', () => {
    holds((limits, history) => {
      const { waiting, ...state } = play(limits, history);
      for (const request of waiting) {
        const [lease] = grantSlots({ ...openSlots({ limits }), waiting: [request] }).granted;
        const withIt = { ...state, leases: [...state.leases, lease ?? request] };
        expect(lease === undefined || overstepped(withIt).length > 0).toBe(true);
      }
    });
  });

  test('serves everybody in the end, once those before have ended, unless a limit is 0', () => {
    holds((limits, history) => {
      let state = play(limits, history);
      for (let rounds = state.waiting.length; rounds >= 0; rounds -= 1) state = grantSlots({ ...state, leases: [] }).state;
      const alone = state.waiting.filter((request) => grantSlots({ ...openSlots({ limits }), waiting: [request] }).granted.length > 0);
      expect(alone).toEqual([]);
    });
  });

  test('decides the same of the same history', () => {
    holds((limits, history) => {
      expect(play(limits, history)).toEqual(play(limits, history));
    });
  });

  test('is changed by no message that comes a second time', () => {
    holds((limits, history) => {
      const twice = history.reduce((state, message) => step(grantSlots(step(state, message)).state, message), openSlots({ limits }));
      expect(grantSlots(twice).state).toEqual(play(limits, history));
    });
  });

  test('takes nothing away when limits change, and keeps to the new ones with what it grants from then on', () => {
    fc.assert(
      fc.property(settings, settings, messages, (before, after, history) => {
        const state = play(before, history);
        const changed = changeLimits(state, { from: 'config', settings: after }, 'now');
        const next = grantSlots(changed).state;
        expect(next.leases.slice(0, state.leases.length)).toEqual(state.leases);
        const wasOver = overstepped({ leases: state.leases, limits: next.limits });
        expect(overstepped(next).filter((name) => !wasOver.includes(name))).toEqual([]);
        for (const granted of next.leases.slice(state.leases.length))
          expect(
            overstepped({ leases: [...state.leases, granted], limits: next.limits }).filter((name) => wasOver.includes(name) && touches(granted, name)),
          ).toEqual([]);
      }),
      { numRuns: 300 },
    );
  });
});

/** Is this a limit that the lease counts for? */
function touches({ nodes: [source, target], network }: SlotRequest, name: string): boolean {
  return ['cluster', `perNode ${source}`, `perNode ${target}`, `out ${source}`, `in ${target}`, `perNetwork ${network}`, `share ${network}`].includes(name);
}
