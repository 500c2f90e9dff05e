import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Client } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { isRecord } from '../../src/domain/is-record.js';

const { History } = temporal.api.history.v1;

/** Where recorded histories are: one for each shape that was released. */
export const HISTORY_FOLDER = fileURLToPath(new URL('../histories/', import.meta.url));
const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));

/**
 * Keeps the history of one execution, without what only this machine means: paths in stack traces, names of workers. Never over an older
 * recording: executions of its shape may still run. Without a `runId`: the newest run. @throws EEXIST
 */
export async function recordHistory(client: Client, { workflowId, runId, name }: { workflowId: string; runId?: string; name: string }): Promise<void> {
  const history = await client.workflow.getHandle(workflowId, runId).fetchHistory();
  const plain = History.toObject(History.fromObject(history), { longs: String, enums: String, bytes: String });
  const text = JSON.stringify(plain, null, 1)
    .replaceAll(REPOSITORY, '')
    .replaceAll(/"identity": "[^"]*"/g, '"identity": "recorded"')
    // The queue of one worker's cache.
    .replaceAll(/"name": "[0-9]+@[^"]*"/g, '"name": "recorded"');
  writeFileSync(join(HISTORY_FOLDER, `${name}.json`), `${text}\n`, { flag: 'wx' });
}

/**
 * Reads a recorded history; `tamper` changes its text first. By the protocol's own classes: the SDK's JSON reader refuses to work
 * when npm has put several copies of protobufjs into the tree.
 */
export function readHistory(name: string, tamper: (text: string) => string = (text) => text): temporal.api.history.v1.History {
  const plain: unknown = JSON.parse(tamper(readFileSync(join(HISTORY_FOLDER, name), 'utf8')));
  if (!isRecord(plain)) throw new Error(`${name} is no history`);
  return History.fromObject(plain);
}
