/** Windows as a real server keeps them, without a worker: what a schedule does next, and what changes leave of it. */
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connectKedge } from '../../../src/client/connect-kedge.js';
import type { KedgeClient } from '../../../src/client/kedge-client.js';
import type { WindowDefinition } from '../../../src/domain/window/window.js';
import { windowScheduleId } from '../../../src/domain/workflow-names.js';
import { windowFileOf } from '../../../src/schema/print-window.js';
import { parseWindowFile } from '../../../src/schema/window-file.js';
import { nextOccurrences } from '../../../src/schema/window-occurrences.js';
import { startTemporalServer, type TestServer } from '../../support/temporal-server.js';

let server: TestServer;
let kedge: KedgeClient;
let client: Client;
beforeAll(async () => {
  server = await startTemporalServer();
  kedge = await connectKedge({ address: server.address, namespace: 'default', nodes: [] });
  client = new Client({ connection: await Connection.connect({ address: server.address }) });
});
afterAll(async () => {
  await client.connection.close();
  await kedge.close();
  await server.stop();
});

const daily = (name: string): WindowDefinition =>
  parseWindowFile({ name, zone: 'UTC', start: '2026-01-01T00:00', rule: 'FREQ=DAILY', duration: '1h', nodes: ['node1'], command: 'true' });
const planned = (definition: WindowDefinition, skipped: readonly string[] = []) =>
  nextOccurrences(definition, { from: new Date().toISOString(), count: 5, skipped }).filter(({ opensAt }) => Date.parse(opensAt) > Date.now());
const described = (name: string) => client.schedule.getHandle(windowScheduleId(name)).describe();
const nextOf = async (name: string): Promise<readonly string[]> => (await described(name)).info.nextActionTimes.map((at) => at.toISOString());
/** Of the change that a window is at. */
async function revisionOf(name: string): Promise<string> {
  let seen = '';
  await kedge.windows
    .change(name, (definition, { skipped, revision }) => {
      seen = revision;
      throw new Error(`${definition.name} ${skipped.join()}`);
    })
    .catch(() => undefined);
  return seen;
}
const opens = (occurrences: readonly { readonly opensAt: string }[]) => occurrences.map(({ opensAt }) => opensAt);

test('a window opens at its next times after it was made, has opened, was edited, left one out and was resumed', async () => {
  const definition = daily('again');
  const { windows } = kedge;
  const occurrences = planned(definition);
  await windows.create({ definition, occurrences });
  await expect.poll(() => nextOf('again')).toEqual(opens(occurrences));

  const later = occurrences.slice(1);
  await kedge.scheduleWindow({ name: 'again', revision: await revisionOf('again'), occurrences: later });
  await expect.poll(() => nextOf('again')).toEqual(opens(later));

  await windows.change('again', (before) => ({ definition: parseWindowFile({ ...windowFileOf(before), atOnce: 2 }), skipped: [], occurrences }));
  await expect.poll(() => nextOf('again')).toEqual(opens(occurrences));
  await windows.change('again', (before) => ({ definition: before, skipped: opens(occurrences.slice(0, 1)), occurrences: later }));
  await expect.poll(() => nextOf('again')).toEqual(opens(later));

  await windows.pause('again', true);
  await windows.change('again', (before, { skipped }) => ({ definition: before, skipped, occurrences: later }));
  await windows.pause('again', false);
  await expect.poll(() => nextOf('again')).toEqual(opens(later));
});

test('a window that came due while the server was down is started all the same, to tell that it was missed', async () => {
  const definition = daily('missed');
  await kedge.windows.create({ definition, occurrences: planned(definition) });
  const kept = { policies: { overlap: 'SKIP', catchupWindow: 30 * 86_400_000 } };
  expect(await described('missed')).toMatchObject(kept);
  await kedge.windows.change('missed', () => ({ definition, skipped: [], occurrences: planned(definition) }));
  expect(await described('missed')).toMatchObject(kept);
});

test('a window that can not be read is listed with the reason, hides no other, and can be deleted', async () => {
  const definition = daily('well');
  await kedge.windows.create({ definition, occurrences: planned(definition) });
  const action = {
    type: 'startWorkflow',
    workflowType: 'maintainNodes',
    taskQueue: 'none',
    args: [{ file: { name: 'odd' }, skipped: [], revision: '1' }],
  } as const;
  await client.schedule.create({ scheduleId: windowScheduleId('odd'), spec: {}, action });
  const listed = async () => (await kedge.windows.list()).map((one) => ('problem' in one ? one : one.definition.name));
  await expect.poll(listed, { timeout: 10_000 }).toEqual(expect.arrayContaining(['well', { name: 'odd', problem: expect.stringContaining('Cannot read') }]));
  await kedge.windows.remove('odd');
  await expect.poll(listed, { timeout: 10_000 }).not.toContainEqual(expect.objectContaining({ name: 'odd' }));
});

test('a window is edited, paused, and deleted; its skipped occurrence is left out', async () => {
  const definition = daily('edited');
  const { windows } = kedge;
  await windows.create({ definition, occurrences: [] });
  await expect(windows.create({ definition, occurrences: [] })).rejects.toMatchObject({ code: 'already-exists' });
  await windows.change('edited', (before) => ({
    definition: parseWindowFile({ ...windowFileOf(before), atOnce: 3 }),
    skipped: ['2030-01-01T00:00:00.000Z'],
    occurrences: [],
  }));
  await windows.pause('edited', true);
  await expect
    .poll(() => windows.show('edited'))
    .toMatchObject({ definition: { atOnce: 3 }, skipped: ['2030-01-01T00:00:00.000Z'], paused: true, report: null });
  await windows.remove('edited');
  await expect(windows.show('edited')).rejects.toMatchObject({ code: 'not-found' });
});
