import { readdirSync } from 'node:fs';
import { DefaultLogger, Runtime, Worker, type WorkflowBundleWithSourceMap } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleWorkflows } from '../support/bundle-workflows.js';
import { HISTORY_FOLDER, readHistory } from '../support/record-history.js';

const names = readdirSync(HISTORY_FOLDER).filter((name) => name.endsWith('.json'));

describe('the workflows of today', () => {
  let workflowBundle: WorkflowBundleWithSourceMap;
  beforeAll(async () => {
    Runtime.install({ logger: new DefaultLogger('ERROR'), shutdownSignals: [] });
    workflowBundle = await bundleWorkflows();
  });

  test('have histories to be judged by', () => {
    expect(names).not.toEqual([]);
  });

  test.for(names)('still take the decisions of %s', async (name) => {
    await Worker.runReplayHistory({ workflowBundle }, readHistory(name));
  });

  test('are found out when they would decide otherwise', async () => {
    const tampered = readHistory('live-migration.json', (text) => text.replaceAll('"claimGuest"', '"claimNothing"'));
    await expect(Worker.runReplayHistory({ workflowBundle }, tampered)).rejects.toThrow(/TMPRL1100|[Nn]ondeterminism/);
  });
});
