import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { SEARCH_ATTRIBUTES } from '../domain/workflow-names.js';
import { withClientErrors } from './client-error.js';
import type { ClientContext } from './kedge-client.js';

/** How long ended migrations can be shown: 30 days. */
const RETENTION_MS = 720 * 3600 * 1000;
/** temporal.api.enums.v1.IndexedValueType.KEYWORD */
const KEYWORD = 2;

/** Sets the namespace's retention and registers the search attributes; changes nothing when they are so. */
export async function ensureNamespace({ client }: ClientContext): Promise<void> {
  await withClientErrors(`set up namespace ${client.options.namespace}`, async () => {
    await ensureRetention(client);
    await ensureSearchAttributes(client);
  });
}

async function ensureRetention(client: Client): Promise<void> {
  const { namespace } = client.options;
  const { config } = await client.workflowService.describeNamespace({ namespace });
  if (Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) >= RETENTION_MS / 1000) return;
  await client.workflowService.updateNamespace({
    namespace,
    config: { workflowExecutionRetentionTtl: msToTs(RETENTION_MS) },
  });
}

async function ensureSearchAttributes(client: Client): Promise<void> {
  const { namespace } = client.options;
  const { customAttributes } = await client.connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(SEARCH_ATTRIBUTES).filter((name) => customAttributes[name] === undefined);
  if (missing.length === 0) return;
  await client.connection.operatorService.addSearchAttributes({
    namespace,
    searchAttributes: Object.fromEntries(missing.map((name) => [name, KEYWORD])),
  });
}
