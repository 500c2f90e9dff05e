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

  test('are found out when they would decide otherwise', async () => {
    const tampered = readHistory('live-migration.json', (text) => text.replaceAll('"claimGuest"', '"claimNothing"'));
    await expect(Worker.runReplayHistory({ workflowBundle }, tampered)).rejects.toThrow(/TMPRL1100|[Nn]ondeterminism/);
  });
});
