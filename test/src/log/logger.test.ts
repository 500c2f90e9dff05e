import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { createLogger } from '../../../src/log/logger.js';
import { prettyLog } from '../../../src/log/pretty-log.js';

/** Typed face of vitest's matcher, which is `any`. */
const matching = (pattern: RegExp): unknown => expect.stringMatching(pattern);

function collector() {
  const lines: string[] = [];
  return { stream: { write: (line: string) => void lines.push(line) }, last: (): unknown => JSON.parse(lines.at(-1) ?? 'null') };
}

describe('createLogger', () => {
  it('writes one JSON object a line with ISO time, level name and its fields', () => {
    const { stream, last } = collector();
    createLogger({ to: stream, fields: { role: 'node', node: 'node1' } }).info({ vmid: 101 }, 'guest started');
    expect(last()).toMatchObject({ level: 'info', role: 'node', node: 'node1', vmid: 101, msg: 'guest started', time: matching(/^\d{4}-.*Z$/) });
  });

  it('carries the migration on every line of a child', () => {
    const { stream, last } = collector();
    createLogger({ to: stream }).child({ migrationId: '101-7', role: 'source' }).warn('slow');
    expect(last()).toMatchObject({ migrationId: '101-7', role: 'source', msg: 'slow' });
  });

  it('redacts secrets by key, at any of the first three levels', () => {
    const { stream, last } = collector();
    createLogger({ to: stream }).info({ token: 'abc', a: { password: 'abc', b: { privateKey: 'abc' } } }, 'x');
    expect(last()).toMatchObject({ token: '[redacted]', a: { password: '[redacted]', b: { privateKey: '[redacted]' } } });
  });

  it('tells code, details and the whole chain of causes of an error', () => {
    const { stream, last } = collector();
    const error = new KedgeError('peer-unreachable', 'Cannot reach node node2', { cause: new Error('ECONNREFUSED'), details: { node: 'node2' } });
    createLogger({ to: stream }).error({ error }, 'no go');
    expect(last()).toMatchObject({ error: { code: 'peer-unreachable', details: { node: 'node2' }, cause: { message: 'ECONNREFUSED' } } });
  });

  it('keeps below its level silent', () => {
    const { stream, last } = collector();
    createLogger({ to: stream, level: 'warn' }).info('x');
    expect(last()).toBeNull();
  });

  it('appends to a file whose folder it makes, readable at once', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kedge-log-'));
    const file = join(folder, 'deep', 'kedge.ndjson');
    createLogger({ to: file }).info('first');
    createLogger({ to: file }).info('second');
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(2);
    await rm(folder, { recursive: true });
  });
});

describe('prettyLog', () => {
  it('prints time, level, message and the other fields', () => {
    let text = '';
    createLogger({ to: prettyLog((part) => (text += part)), fields: { node: 'node1' } }).warn({ vmid: 101 }, 'slow');
    expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} WARN {2}slow node=node1 vmid=101\n$/);
  });
});
