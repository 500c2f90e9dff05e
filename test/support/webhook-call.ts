import { createHmac } from 'node:crypto';
import { z } from 'zod';

/** What a call of a webhook said, its signature, and the one that it must have. */
export interface WebhookCall {
  readonly id: string;
  readonly kind: string;
  readonly vmid: number | null;
  readonly signature: string;
  readonly wanted: string;
}

const calls = z.object({
  headers: z.object({ 'webhook-id': z.string(), 'webhook-timestamp': z.string(), 'webhook-signature': z.string() }),
  body: z.string(),
});
const bodies = z.object({ id: z.string(), kind: z.string(), vmid: z.number().nullable() });

/** Reads a line of webhook-receiver.mjs. The wanted signature is computed as docs/operating.md tells a receiver to, by nothing of the product. */
export function readWebhookCall(line: string, secret: string): WebhookCall {
  const { headers, body } = calls.parse(JSON.parse(line));
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const wanted = `v1,${createHmac('sha256', secret).update(signed).digest('base64')}`;
  return { ...bodies.parse(JSON.parse(body)), signature: headers['webhook-signature'], wanted };
}
