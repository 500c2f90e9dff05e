import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttp, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createHttps } from 'node:https';
import type { Server } from 'node:net';
import { Duplex, PassThrough } from 'node:stream';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ClusterEvent } from '../../../../src/domain/events/event.js';
import { signWebhook } from '../../../../src/drivers/hook/sign-webhook.js';
import { tellHook } from '../../../../src/drivers/hook/tell-hook.js';
import { hooksConfigSchema } from '../../../../src/schema/hooks-config.js';

const event: ClusterEvent = {
  id: 'w.r.ended',
  at: '2026-03-01T12:00:00Z',
  kind: 'migration-failed',
  text: 'It\nfailed',
  vmid: null,
  nodes: [],
  workflowId: 'w',
};
const SECRET = 'not-to-be-told';
let folder: string;
const servers: Server[] = [];
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-hook-'));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  const files = ['-keyout', join(folder, 'key.pem'), '-out', join(folder, 'cert.pem')];
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', ...subject, ...files], {
    stdio: 'ignore',
  });
  writeFileSync(join(folder, 'secret'), `${SECRET}\n`, { mode: 0o600 });
  writeFileSync(join(folder, 'open'), SECRET, { mode: 0o644 });
});
afterAll(() => {
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

const certificate = () => ({ key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) });

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return typeof address === 'object' ? (address?.port ?? 0) : 0;
}

const tell = (hook: object): Promise<string> =>
  tellHook(() => Promise.resolve({ cluster: 'lab', hooks: hooksConfigSchema.parse({ one: hook }) }), { hook: 'one', event });
const webhook = (url: string, more: object = {}) => tell({ type: 'webhook', url, secretFile: join(folder, 'secret'), timeoutSeconds: 1, ...more });
const answering =
  (status: number, headers: Record<string, string> = {}): RequestListener =>
  (request, response) => {
    request.resume();
    response.writeHead(status, headers).end();
  };

describe.runIf(process.getuid?.() === 0)('a webhook', () => {
  it('gets the event, signed so that it can be checked', async () => {
    const calls: { headers: IncomingMessage['headers']; body: string }[] = [];
    const port = await listen(
      createHttp((request, response) => {
        let body = '';
        request.on('data', (part: Buffer) => (body += part.toString()));
        request.on('end', () => {
          calls.push({ headers: request.headers, body });
          response.writeHead(204).end();
        });
      }),
    );
    expect(await webhook(`http://127.0.0.1:${port}/path?a=b`)).toBe('204 No Content');
    const [{ headers, body } = { headers: {}, body: '' }] = calls;
    expect(JSON.parse(body)).toEqual({ v: 1, cluster: 'lab', class: 'failure', ...event });
    expect(headers['webhook-id']).toBe(event.id);
    const timestamp = Number(headers['webhook-timestamp']);
    expect(Math.abs(Date.now() / 1_000 - timestamp)).toBeLessThan(60);
    expect(headers['webhook-signature']).toBe(signWebhook(SECRET, { id: event.id, timestamp, body }));
  });

  it('that refuses is told so, without the path of its URL', async () => {
    const port = await listen(createHttp(answering(500)));
    const failure = await webhook(`http://127.0.0.1:${port}/secret-path`).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'hook-failed', message: `Cannot tell 127.0.0.1:${port}: it answered 500 Internal Server Error` });
  });

  it('is not followed elsewhere', async () => {
    let visits = 0;
    const elsewhere = await listen(
      createHttp((request, response) => {
        visits += 1;
        answering(200)(request, response);
      }),
    );
    const port = await listen(createHttp(answering(307, { location: `http://127.0.0.1:${elsewhere}/` })));
    await expect(webhook(`http://127.0.0.1:${port}/`)).rejects.toThrow('redirects are not followed');
    expect(visits).toBe(0);
  });

  it('that hangs is given up in time', async () => {
    const port = await listen(createHttp(() => undefined));
    await expect(webhook(`http://127.0.0.1:${port}/`)).rejects.toThrow('no answer within 1 s');
  });

  it('with a certificate that nobody trusts is told nothing, with one of its own file it is', async () => {
    let calls = 0;
    const port = await listen(
      createHttps(certificate(), (request, response) => {
        calls += 1;
        answering(200)(request, response);
      }),
    );
    await expect(webhook(`https://localhost:${port}/`)).rejects.toThrow('self-signed certificate');
    expect(calls).toBe(0);
    expect(await webhook(`https://localhost:${port}/`, { caFile: join(folder, 'cert.pem') })).toBe('200 OK');
  });

  it('whose secret others may read, or that is not there, is told nothing', async () => {
    await expect(webhook('http://127.0.0.1:1/', { secretFile: join(folder, 'open') })).rejects.toThrow('has the mode 644');
    await expect(webhook('http://127.0.0.1:1/', { secretFile: join(folder, 'none') })).rejects.toThrow('absent or empty');
  });
});

/** As much of SMTP as a mail needs. */
function speakSmtp(socket: Duplex, heard: string[]): void {
  let isData = false;
  let rest = '';
  socket.on('error', () => undefined);
  socket.write('220 test\r\n');
  socket.on('data', (part: Buffer) => {
    rest += part.toString();
    for (let at = rest.indexOf('\r\n'); at >= 0; at = rest.indexOf('\r\n')) {
      const line = rest.slice(0, at);
      rest = rest.slice(at + 2);
      heard.push(line);
      if (isData && line !== '.') continue;
      if (isData) socket.write('250 taken as 1\r\n');
      else if (line === 'DATA') socket.write('354 go on\r\n');
      else if (line.startsWith('EHLO')) socket.write('250-test\r\n250 AUTH PLAIN\r\n');
      else if (line.startsWith('AUTH')) socket.write('235 yes\r\n');
      else socket.write('250 yes\r\n');
      isData = line === 'DATA' || (isData && line !== '.');
    }
  });
}

describe.runIf(process.getuid?.() === 0)('a mail', () => {
  const mail = (port: number, more: object = {}) =>
    tell({
      type: 'mail',
      host: '127.0.0.1',
      port,
      from: 'kedge@example.org',
      to: ['ops@example.org'],
      timeoutSeconds: 1,
      caFile: join(folder, 'cert.pem'),
      ...more,
    });

  it('goes to a server that it trusts, after the password, with an id that repeats have too', async () => {
    const heard: string[] = [];
    const port = await listen(createTls(certificate(), (socket) => speakSmtp(socket, heard)));
    expect(await mail(port, { user: 'kedge', passwordFile: join(folder, 'secret') })).toBe('250 taken as 1');
    expect(heard).toEqual(
      expect.arrayContaining([
        `AUTH PLAIN ${Buffer.from(`\0kedge\0${SECRET}`).toString('base64')}`,
        'RCPT TO:<ops@example.org>',
        'Subject: [lab] migration-failed: It failed',
        'Message-ID: <w.r.ended@lab.kedge>',
      ]),
    );
  });

  it('does not go to a server with a certificate that nobody trusts, nor does the password', async () => {
    const heard: string[] = [];
    const port = await listen(createTls(certificate(), (socket) => speakSmtp(socket, heard)).on('tlsClientError', () => undefined));
    await expect(mail(port, { caFile: undefined })).rejects.toMatchObject({ code: 'hook-failed', message: expect.stringContaining('self-signed') });
    expect(heard).toEqual([]);
  });

  it('is refused where starttls was wanted and is not there', async () => {
    const { createServer } = await import('node:net');
    const heard: string[] = [];
    const port = await listen(createServer((socket) => speakSmtp(socket, heard)));
    await expect(mail(port, { tls: 'starttls', user: 'kedge', passwordFile: join(folder, 'secret') })).rejects.toMatchObject({ code: 'hook-failed' });
    expect(heard.join('\n')).not.toContain('AUTH');
    expect(await mail(port, { tls: 'none' })).toBe('250 taken as 1');
  });

  it('is given up when the server hangs', async () => {
    const { createServer } = await import('node:net');
    const port = await listen(createServer(() => undefined));
    await expect(mail(port, { tls: 'none' })).rejects.toMatchObject({ code: 'hook-failed' });
  });

  it('that is given up does not go out later: the connection of a server that is only slow ends with it', async () => {
    const { createServer } = await import('node:net');
    const heard: string[] = [];
    const closed: Promise<unknown>[] = [];
    const port = await listen(
      createServer((socket) => {
        const slow = new PassThrough();
        speakSmtp(Duplex.from({ readable: socket, writable: slow }), heard);
        slow.on('data', (reply: Buffer) => setTimeout(() => socket.writable && socket.write(reply), 400));
        closed.push(once(socket, 'close'));
      }),
    );
    await expect(mail(port, { tls: 'none' })).rejects.toMatchObject({ code: 'hook-failed', message: expect.stringContaining('no answer within 1 s') });
    expect(closed).toHaveLength(1);
    await Promise.all(closed);
    expect(heard).not.toContain('DATA');
  });
});
