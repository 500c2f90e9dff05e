import { readFile } from 'node:fs/promises';
import { readRootFile } from '../../config/read-root-file.js';
import { type ClusterEvent, EVENT_KINDS } from '../../domain/events/event.js';
import { KedgeError } from '../../domain/kedge-error.js';
import type { HooksConfig, MailConfig } from '../../schema/hooks-config.js';
import { postWebhook } from './post-webhook.js';
import { sendMail } from './send-mail.js';

/** One event for one hook. */
export interface HookCall {
  readonly hook: string;
  readonly event: ClusterEvent;
}

/** The hooks of a cluster, as its kedge.yaml has them now. */
export interface ClusterHooks {
  readonly cluster: string;
  readonly hooks: HooksConfig;
}

const PORTS = { tls: 465, starttls: 587, none: 25 } as const;

/**
 * Tells one hook of one event, once; answers what came back. Secrets are read here and go nowhere else. Whatever is wrong may be right the next time, also
 * the config: a machine whose kedge.yaml is behind, or half written, may be asked. @throws KedgeError `hook-failed`
 */
export async function tellHook(read: () => Promise<ClusterHooks>, { hook, event }: HookCall): Promise<string> {
  const { cluster, hooks } = await read().catch((error: unknown) => {
    throw new KedgeError('hook-failed', `Cannot tell hook "${hook}": ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  });
  const config = Object.hasOwn(hooks, hook) ? hooks[hook] : undefined;
  if (config === undefined) {
    const known = Object.keys(hooks).join(', ') || 'none';
    throw new KedgeError('hook-failed', `Cannot tell hook "${hook}": kedge.yaml of this control worker has no such hook, it has ${known}`);
  }
  const timeoutMs = config.timeoutSeconds * 1_000;
  const ca = config.caFile === undefined ? null : await readCertificates(config.caFile);
  if (config.type === 'webhook') {
    const body = JSON.stringify({ v: 1, cluster, class: EVENT_KINDS[event.kind], ...event });
    return postWebhook({ url: config.url, secret: await readSecret(config.secretFile), id: event.id, body, timeoutMs, ca });
  }
  const { host, tls, from, to } = config;
  const subject = `[${cluster}] ${event.kind}: ${event.text}`.replace(/\p{Cc}+/gu, ' ').slice(0, 200);
  const text = [
    event.text,
    '',
    `Cluster: ${cluster}`,
    `Kind: ${event.kind}`,
    `At: ${event.at}`,
    `Workflow: ${event.workflowId}`,
    `Event: ${event.id}`,
    '',
  ].join('\n');
  const messageId = `<${event.id.replace(/[^A-Za-z0-9.-]/g, '-')}@${cluster}.kedge>`;
  return sendMail({ host, port: config.port ?? PORTS[tls], tls, auth: await readAuth(config), from, to, subject, text, messageId, timeoutMs, ca });
}

async function readAuth({ user, passwordFile }: MailConfig): Promise<{ user: string; pass: string } | null> {
  return user === undefined || passwordFile === undefined ? null : { user, pass: await readSecret(passwordFile) };
}

/** The file without its last line break. */
async function readSecret(file: string): Promise<string> {
  try {
    const secret = (await readRootFile(file))?.replace(/\r?\n$/, '') ?? '';
    if (secret !== '') return secret;
  } catch (error) {
    throw new KedgeError('hook-failed', error instanceof Error ? error.message : String(error), { cause: error });
  }
  throw new KedgeError('hook-failed', `Cannot use ${file}: it is absent or empty, must hold the secret`);
}

async function readCertificates(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new KedgeError('hook-failed', `Cannot read ${file}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
  }
}
