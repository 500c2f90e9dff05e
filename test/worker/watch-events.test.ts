import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventsLook } from '../../src/client/events/event-verbs.js';
import type { ClusterEvent, EventKind } from '../../src/domain/events/event.js';
import type { EventFilter } from '../../src/domain/events/select-events.js';
import { createLogger } from '../../src/log/logger.js';
import { hooksConfigSchema } from '../../src/schema/hooks-config.js';
import { watchEvents } from '../../worker/watch-events.js';

const NOW = Date.parse('2026-03-02T00:00:00Z');
const MARK = '2026-03-01T12:00:00.000Z';
const event = (id: string, kind: EventKind, at = '2026-03-01T13:00:00Z'): ClusterEvent => ({ id, at, kind, text: id, vmid: null, nodes: [], workflowId: 'w' });
const ONE_HOOK = hooksConfigSchema.parse({ pager: { type: 'webhook', url: 'https://h/', secretFile: '/s', events: ['failure'] } });

describe('a control worker', () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW, toFake: ['Date'] }));
  afterEach(() => void vi.useRealTimers());

  async function told({ hooks, events, failures = 0 }: { hooks: typeof ONE_HOOK; events: readonly ClusterEvent[]; failures?: number }) {
    const delivered: string[] = [];
    const filters: EventFilter[] = [];
    let left = failures;
    let reads = 0;
    const stop = watchEvents(
      {
        events: {
          list: () => Promise.reject(new Error('not expected')),
          follow: async function* (filter): AsyncGenerator<EventsLook, void> {
            filters.push(filter);
            yield await Promise.resolve({ events, isReached: true });
          },
        },
        hooks: {
          knownSince: () => Promise.resolve(MARK),
          deliver: ({ hook, event: { id } }) => {
            left -= 1;
            if (left >= 0) return Promise.reject(new Error('no server'));
            delivered.push(`${hook} ${id}`);
            return Promise.resolve();
          },
          test: () => Promise.reject(new Error('not expected')),
        },
      },
      { hooks: () => ((reads += 1), Promise.resolve({ cluster: 'c', hooks })), log: createLogger({ level: 'fatal' }), everyMs: 1 },
    );
    await vi.waitUntil(() => reads > 8);
    stop();
    return { delivered, filters };
  }

  it('has a hook told once of each event of its kinds since it is known', async () => {
    const events = [
      event('a', 'migration-failed'),
      event('b', 'migration-started'),
      event('c', 'node-silent', '2026-03-01T11:59:59Z'),
      event('d', 'hook-failed'),
    ];
    expect((await told({ hooks: ONE_HOOK, events })).delivered).toEqual(['pager a']);
  });

  it('goes through the last day', async () => {
    expect((await told({ hooks: ONE_HOOK, events: [] })).filters[0]?.since).toMatch(/^2026-03-01T00:00:0/);
  });

  it('tells what it could not tell at once', async () => {
    const { delivered } = await told({ hooks: ONE_HOOK, events: [event('a', 'migration-failed'), event('b', 'migration-failed')], failures: 1 });
    expect(delivered).toEqual(['pager a', 'pager b']);
  });

  it('asks the server for nothing without hooks', async () => {
    expect((await told({ hooks: {}, events: [event('a', 'migration-failed')] })).filters).toEqual([]);
  });
});
