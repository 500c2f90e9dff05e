import { describe, expect, it } from 'vitest';
import type { ClusterEvent } from '../../../../../src/domain/events/event.js';
import type { EventFilter } from '../../../../../src/domain/events/select-events.js';
import { looksOf, runFake } from '../../fake-cluster.js';
import { node1, node2, vmid } from '../../stories.js';

const event: ClusterEvent = {
  id: 'migration-101.run-1.started',
  at: '2026-03-01T12:00:00.000Z',
  kind: 'migration-started',
  text: 'Migration of guest 101\nto node2 started',
  vmid,
  nodes: [node1, node2],
  workflowId: 'migration-101',
};
const unexpected = () => Promise.reject(new Error('not expected'));

describe('kedge event list', () => {
  it('prints one line for each event, newest last, whatever characters are in it', async () => {
    const { out, exitCode } = await runFake(['event', 'list'], { cluster: { events: { list: () => Promise.resolve([event]), follow: () => looksOf([]) } } });
    expect(out).toBe('2026-03-01T12:00:00.000Z  migration-started         Migration of guest 101 to node2 started\n');
    expect(exitCode).toBe(0);
  });

  it('says so when nothing has happened', async () => {
    const { out } = await runFake(['event', 'list'], { cluster: { events: { list: () => Promise.resolve([]), follow: () => looksOf([]) } } });
    expect(out).toBe('No events\n');
  });

  it('asks for what was typed', async () => {
    const asked: EventFilter[] = [];
    const events = { list: (filter: EventFilter) => (asked.push(filter), Promise.resolve([])), follow: () => looksOf([]) };
    const argv = [
      'event',
      'list',
      '--node',
      'node1',
      '--vmid',
      '101',
      '--kind',
      'failure, migration-started',
      '--since',
      '2026-03-01T00:00:00+01:00',
      '--limit',
      '3',
      '--json',
    ];
    const { out } = await runFake(argv, { cluster: { events } });
    expect(out).toBe('[]\n');
    expect(asked).toEqual([{ node: node1, vmid, sorts: ['failure', 'migration-started'], since: '2026-02-28T23:00:00.000Z', limit: 3 }]);
  });

  it.each([
    [['--kind', 'mistake'], 'Current value is "mistake", must be one or more of start, end'],
    [['--since', 'yesterday'], 'Current value is "yesterday", must be a span like 2h'],
    [['--limit', '0'], 'must be a whole number of at least 1'],
  ])('refuses %j and asks nobody', async (argv, text) => {
    const { err, exitCode } = await runFake(['event', 'list', ...argv], { cluster: { events: { list: unexpected, follow: () => looksOf([]) } } });
    expect(err).toContain(text);
    expect(exitCode).toBe(2);
  });

  it('follows with one object a line, tells when the server is away, and exits with 130 when it is let go', async () => {
    const looks = [
      { events: [event], isReached: true },
      { events: [], isReached: false },
      { events: [{ ...event, id: 'b' }], isReached: true },
    ];
    const { out, err, exitCode } = await runFake(['event', 'list', '--follow', '--json'], {
      cluster: { events: { list: unexpected, follow: () => looksOf(looks) } },
    });
    expect(
      out
        .trimEnd()
        .split('\n')
        .map((line): unknown => JSON.parse(line)),
    ).toEqual([event, { ...event, id: 'b' }]);
    expect(err).toBe('The Temporal server gives no answer, trying again\nThe Temporal server answers again\n');
    expect(exitCode).toBe(130);
  });
});

describe('kedge migration list', () => {
  it('passes on which ones are wanted, and refuses failed ones that run', async () => {
    const asked: unknown[] = [];
    const cluster = { listMigrations: (filter: unknown) => (asked.push(filter), Promise.resolve([])) };
    await runFake(['migration', 'list', '--failed', '--node', 'node1', '--since', '2026-03-01T00:00:00Z'], { cluster });
    expect(asked).toEqual([{ limit: 20, node: node1, failed: true, since: '2026-03-01T00:00:00.000Z' }]);
    expect((await runFake(['migration', 'list', '--failed', '--running'], { cluster })).exitCode).toBe(2);
  });
});
