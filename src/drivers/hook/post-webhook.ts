import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { KedgeError } from '../../domain/kedge-error.js';
import { signWebhook } from './sign-webhook.js';

export interface WebhookCall {
  readonly url: string;
  readonly secret: string;
  readonly id: string;
  readonly body: string;
  readonly timeoutMs: number;
  /** PEM; null: the system's certificates. */
  readonly ca: string | null;
}

/**
 * Tells a receiver once; answers what it said. Redirects are not followed: the body would go where nobody configured it to. Messages name the host
 * alone, since paths of webhooks are often secrets themselves. @throws KedgeError `hook-failed` unless it answers 2xx in time
 */
export async function postWebhook({ url, secret, id, body, timeoutMs, ca }: WebhookCall): Promise<string> {
  const timestamp = Math.floor(Date.now() / 1_000);
  const { protocol, host } = new URL(url);
  const headers = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'user-agent': 'kedge',
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signWebhook(secret, { id, timestamp, body }),
  };
  const signal = AbortSignal.timeout(timeoutMs);
  const status = await new Promise<{ code: number; text: string }>((resolve, reject) => {
    const send = protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(url, { method: 'POST', headers, signal, agent: false, ...(ca === null ? {} : { ca }) }, (response) => {
      resolve({ code: response.statusCode ?? 0, text: `${String(response.statusCode ?? 0)} ${response.statusMessage ?? ''}`.trim() });
      // Only the status counts, and a body may have no end.
      response.destroy();
    });
    request.on('error', (error) => {
      const why = signal.aborted ? `no answer within ${String(timeoutMs / 1_000)} s` : error.message;
      reject(new KedgeError('hook-failed', `Cannot reach ${host}: ${why}`, { cause: error }));
    });
    request.end(body);
  });
  if (status.code >= 200 && status.code < 300) return status.text;
  const hint = status.code >= 300 && status.code < 400 ? '; redirects are not followed' : '';
  throw new KedgeError('hook-failed', `Cannot tell ${host}: it answered ${status.text}${hint}`);
}
