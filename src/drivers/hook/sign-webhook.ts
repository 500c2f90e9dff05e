import { createHmac } from 'node:crypto';
import { KedgeError } from '../../domain/kedge-error.js';

/** What is signed: the id too, so that it can be trusted for telling repeats. */
export interface SignedCall {
  readonly id: string;
  /** Unix time in seconds. */
  readonly timestamp: number;
  readonly body: string;
}

const PREFIX = 'whsec_';

/**
 * The signature as the Standard Webhooks convention has it, for which receivers find libraries: `v1,` and HMAC-SHA-256 in base64 over
 * `<id>.<timestamp>.<body>`. A secret that begins with `whsec_` is base64, as those libraries make them; any other is taken as it is.
 * @throws KedgeError `hook-failed` for one of which nothing is left: everybody could sign with an empty key
 */
export function signWebhook(secret: string, { id, timestamp, body }: SignedCall): string {
  const key = secret.startsWith(PREFIX) ? Buffer.from(secret.slice(PREFIX.length), 'base64') : Buffer.from(secret, 'utf8');
  if (key.length === 0) throw new KedgeError('hook-failed', `Cannot sign: the secret has nothing in base64 after ${PREFIX}, must be a whole one`);
  return `v1,${createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64')}`;
}
