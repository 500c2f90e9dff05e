import { isRecord } from '../../domain/is-record.js';
import { KedgeError } from '../../domain/kedge-error.js';

export interface MailCall {
  readonly host: string;
  readonly port: number;
  readonly tls: 'tls' | 'starttls' | 'none';
  readonly auth: { readonly user: string; readonly pass: string } | null;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  /** The same for each attempt, so that the reader's program can tell repeats. */
  readonly messageId: string;
  readonly timeoutMs: number;
  /** PEM; null: the system's certificates. */
  readonly ca: string | null;
}

/** Hands one mail to a server; answers what that said. @throws KedgeError `hook-failed` unless the server takes it in time */
export async function sendMail({ host, port, tls, auth, from, to, subject, text, messageId, timeoutMs, ca }: MailCall): Promise<string> {
  // A library that no other command needs.
  const { createTransport } = await import('nodemailer');
  const transport = createTransport({
    host,
    port,
    secure: tls === 'tls',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'none',
    ...(auth === null ? {} : { auth }),
    tls: { minVersion: 'TLSv1.2', ...(ca === null ? {} : { ca }) },
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  // Its own limits are for silence: a server that says a word now and then would hold it for ever. This one ends the connection, so that a mail that was
  // given up does not go out after all.
  const signal = AbortSignal.timeout(timeoutMs);
  try {
    const headers = { 'Auto-Submitted': 'auto-generated' };
    const sent: unknown = await transport.sendMail({ from, to: [...to], subject, text, messageId, headers, signal });
    return isRecord(sent) && typeof sent['response'] === 'string' ? sent['response'] : 'taken';
  } catch (error) {
    const why = signal.aborted ? `no answer within ${String(timeoutMs / 1_000)} s` : error instanceof Error ? error.message : String(error);
    throw new KedgeError('hook-failed', `Cannot hand a mail to ${host}:${port}: ${why}`, { cause: error });
  }
}
