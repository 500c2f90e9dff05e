import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseNodeName, type NodeName } from '../../src/domain/ids.js';
import { createLogger } from '../../src/log/logger.js';
import { watchSuspects } from '../../worker/watch-suspects.js';

const NOW = Date.parse('2026-01-01T00:01:00Z');
const status = (name: string, silentSince: string | null) => ({
  node: parseNodeName(name),
  bootId: 'boot',
  registeredAt: null,
  cordoned: false,
  silentSince,
  inventory: null,
  inventoryAgeMs: null,
});

describe('a control worker', () => {
  beforeEach(() => void vi.useFakeTimers({ now: NOW }));
  afterEach(() => void vi.useRealTimers());

  async function startedBy(recovery: Parameters<typeof watchSuspects>[1]['recovery']): Promise<ReadonlySet<NodeName>> {
    const started = new Set<NodeName>();
    const nodes = [status('node1', null), status('node2', '2026-01-01T00:00:50Z'), status('node3', '2026-01-01T00:00:00Z')];
    const stop = watchSuspects(
      { listNodes: () => Promise.resolve(nodes), startRecovery: ({ node }) => Promise.resolve(void started.add(node)) },
      { recovery, log: createLogger() },
    );
    await vi.advanceTimersByTimeAsync(6_000);
    stop();
    return started;
  }

  it('has those nodes recovered that are silent for longer than is set', async () => {
    expect([...(await startedBy({ enabled: true, suspectAfterSeconds: 60, fencesAtOnce: 1 }))]).toEqual(['node3']);
  });

  it('has none recovered unless that is wanted', async () => {
    expect([...(await startedBy({ enabled: false, suspectAfterSeconds: 60, fencesAtOnce: 1 }))]).toEqual([]);
  });
});
