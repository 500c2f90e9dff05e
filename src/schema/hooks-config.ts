import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { EVENT_CLASSES } from '../domain/events/event.js';

const file = z.string().refine((path) => isAbsolute(path) && !/[\n\r\0]/.test(path), 'must be the absolute path of a file');
const mailAddress = z
  .string()
  .regex(/^[^\s<>()",;:@\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/, 'must be a plain mail address like ops@example.org');

const common = {
  /** What it is told of. */
  events: z.array(z.enum(EVENT_CLASSES)).min(1).default(['start', 'end', 'failure', 'needs-operator']),
  /** How long one attempt may take. */
  timeoutSeconds: z.int().min(1).max(60).default(10),
  /** Certificates to trust instead of the system's, as PEM. */
  caFile: file.optional(),
};

const webhook = z.strictObject({
  type: z.literal('webhook'),
  url: z.string().refine(isPlainUrl, 'must be a URL of http or https, without user, password or fragment: the receiver knows us by the signature'),
  /** With what each call is signed; root alone may read it. */
  secretFile: file,
  ...common,
});

const mail = z
  .strictObject({
    type: z.literal('mail'),
    host: z.string().regex(/^[0-9A-Za-z:][0-9A-Za-z.:-]*$/, 'must be an IP address or a host name'),
    /** 465 with `tls`, 587 with `starttls`, 25 with `none` when absent. */
    port: z.int().min(1).max(65_535).optional(),
    /** `tls` from the first byte; `starttls`: refused if the server can't; `none`: in the clear, without a password. */
    tls: z.enum(['tls', 'starttls', 'none']).default('tls'),
    from: mailAddress,
    to: z.array(mailAddress).min(1).max(20),
    user: z.string().min(1).optional(),
    /** Root alone may read it. */
    passwordFile: file.optional(),
    ...common,
  })
  .superRefine(({ tls, user, passwordFile }, context) => {
    const refuse = (path: string, message: string): void => context.addIssue({ code: 'custom', path: [path], message });
    if (user !== undefined && passwordFile === undefined) refuse('user', 'must have a passwordFile beside it');
    if (user === undefined && passwordFile !== undefined) refuse('passwordFile', 'must have a user beside it');
    if (tls === 'none' && passwordFile !== undefined) refuse('passwordFile', 'must not be sent in the clear: choose tls or starttls');
  });

/** `hooks` of kedge.yaml: who is told of events, by name. No secrets, only where they are. */
export const hooksConfigSchema = z.record(
  z.string().regex(/^[a-z][a-z0-9-]{0,31}$/, 'must be lower-case letters, digits and hyphens, at most 32'),
  z.discriminatedUnion('type', [webhook, mail]),
);
export type HooksConfig = Readonly<z.output<typeof hooksConfigSchema>>;
export type WebhookConfig = Readonly<z.output<typeof webhook>>;
export type MailConfig = Readonly<z.output<typeof mail>>;

function isPlainUrl(text: string): boolean {
  const url = URL.canParse(text) ? new URL(text) : null;
  return url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '' && url.hash === '';
}
