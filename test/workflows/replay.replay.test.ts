import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleWorkflows } from '../support/bundle-workflows.js';
import { HISTORY_FOLDER, readHistory } from '../support/record-history.js';

const names = readdirSync(HISTORY_FOLDER)
  .filter((name) => name.endsWith('.json'))
  .sort();

/** Named by what was done to the migration; admission, guest-stopped and node are of the workflows beside it. */
const LAB = [
  'lab-admission.json',
  'lab-control-worker-killed.json',
  'lab-guest-stopped.json',
  'lab-held-and-released.json',
  'lab-migrated.json',
  'lab-node.json',
  'lab-source-worker-killed.json',
  'lab-target-qemu-killed.json',
];

describe('the workflows of today', () => {
  let workflowBundle: WorkflowBundleWithSourceMap;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    workflowBundle = await bundleWorkflows();
  });

  test('have histories to be judged by, from fake nodes and from a lab', () => {
    expect(names.filter((name) => name.startsWith('live-migration'))).toHaveLength(6);
    expect(names.filter((name) => name.startsWith('lab-'))).toEqual(LAB);
    const kinds = ['admission-', 'balance', 'drain', 'fence', 'lost-', 'recovery', 'undrain', 'upkeep', 'window'];
    expect(kinds.filter((kind) => !names.some((name) => name.startsWith(kind)))).toEqual([]);
  });

  test.for(names)('in %s find no path of the machine that it was recorded on', (name) => {
    const text = readFileSync(join(HISTORY_FOLDER, name), 'utf8');
    // Inputs and results are in base64.
    const payloads = [...text.matchAll(/"data": "([^"]*)"/g)].map(([, data = '']) => Buffer.from(data, 'base64').toString());
    expect([text, ...payloads].join('\n').match(/\/(?:home|root|tmp|work|Users|var\/lib\/kedge-lab)\/\S*/g)).toBeNull();
  });

  test.for(names)('still take the decisions of %s', async (name) => {
    await Worker.runReplayHistory({ workflowBundle }, readHistory(name));
  });

  test('would not have gone on as a new execution of admission while a grant is on its way: the server drops what a run that has ended sends', async () => {
    const hasty = readHistory('lab-admission.json', continuedWhileGranting);
    await expect(Worker.runReplayHistory({ workflowBundle }, hasty)).rejects.toThrow(/TMPRL1100|[Nn]ondeterminism/);
  });

  test('are found out when they would decide otherwise', async () => {
    const tampered = readHistory('live-migration.json', (text) => text.replaceAll('"claimGuest"', '"claimNothing"'));
    await expect(Worker.runReplayHistory({ workflowBundle }, tampered)).rejects.toThrow(/TMPRL1100|[Nn]ondeterminism/);
  });
});

/** As admission was until it waited: its first grant is not delivered yet, a message comes in, and the server suggests to continue as new. */
function continuedWhileGranting(text: string): string {
  const { events }: { events: { eventType: string }[] } = JSON.parse(text);
  const grantedAt = events.findIndex(({ eventType }) => eventType === 'EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED');
  const nextId = grantedAt + 2;
  const [release, scheduled, started, completed] = events.slice(13, 17);
  const task = { scheduledEventId: String(nextId + 1), identity: 'recorded', requestId: 'next' };
  const startedAttributes = { ...task, suggestContinueAsNew: true, historySizeBytes: '1' };
  const made = [
    release,
    scheduled,
    { ...started, workflowTaskStartedEventAttributes: startedAttributes },
    { ...completed, workflowTaskCompletedEventAttributes: { ...task, startedEventId: String(nextId + 2) } },
    {
      eventType: 'EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
      workflowExecutionContinuedAsNewEventAttributes: { newExecutionRunId: 'next', workflowType: { name: 'admission' }, taskQueue: { name: 'control' } },
    },
  ];
  return JSON.stringify({ events: [...events.slice(0, grantedAt + 1), ...made.map((event, at) => ({ ...event, eventId: String(nextId + at) }))] });
}
