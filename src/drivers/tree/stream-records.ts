import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { setImmediate } from 'node:timers/promises';
import type { Readable, Writable } from 'node:stream';
import { KedgeError } from '../../domain/kedge-error.js';

/** A pipeline of programs over one folder; the output of the last is cut at `separator`. */
export interface Pipeline {
  readonly programs: readonly (readonly [program: string, ...args: string[]])[];
  readonly folder: string;
  readonly separator: '\0' | '\n';
  readonly signal?: AbortSignal | undefined;
}

type Child = ChildProcessByStdio<Writable, Readable, Readable>;

/**
 * Runs the programs, each fed by the one before, and calls `take` with every record as latin1: file names are bytes, and need not be
 * UTF-8. Memory does not grow with the output.
 * @throws KedgeError `storage-failed` when one of the programs fails, with what it said; `cancelled` after `signal`
 */
export async function streamRecords(pipeline: Pipeline, take: (record: string) => void): Promise<void> {
  const { programs, folder, separator, signal } = pipeline;
  const children = programs.map(([program, ...args]): { name: string; child: Child } => ({
    name: program,
    child: spawn(program, args, { cwd: folder, stdio: ['pipe', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], LC_ALL: 'C' } }),
  }));
  const stop = (): void => {
    for (const { child } of children) child.kill('SIGKILL');
  };
  signal?.addEventListener('abort', stop, { once: true });
  if (signal?.aborted === true) stop();
  let source: Readable | null = null;
  for (const { child } of children) {
    // One that ended early is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => undefined);
    if (source === null) child.stdin.end();
    else source.pipe(child.stdin);
    source = child.stdout;
  }
  try {
    await Promise.all([...children.map(succeeds), source === null ? undefined : cut(source, { separator, take })]);
  } catch (error) {
    stop();
    if (signal?.aborted === true) throw new KedgeError('cancelled', `Cannot read the files in ${folder}: it was cancelled`);
    throw new KedgeError('storage-failed', `Cannot read the files in ${folder}`, { cause: error });
  } finally {
    signal?.removeEventListener('abort', stop);
  }
}

function succeeds({ name, child }: { name: string; child: Child }): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = `${said}${text}`.slice(0, 2_000)));
    child.on('error', (error) => {
      reject(new Error(`${name} cannot be run: ${error.message}`));
    });
    child.on('close', (code) => {
      if (code === 0) resolve();
      else reject(new Error(`${name} ended with ${String(code)}: ${said.trim() || 'no message'}`));
    });
  });
}

/** About a millisecond's work. */
const RECORDS_A_TURN = 100;

async function cut(output: Readable, { separator, take }: { separator: string; take: (record: string) => void }): Promise<void> {
  let rest = '';
  const chunks: AsyncIterable<unknown> = output.setEncoding('latin1');
  for await (const chunk of chunks) {
    const records = (rest + String(chunk)).split(separator);
    rest = records.pop() ?? '';
    for (let first = 0; first < records.length; first += RECORDS_A_TURN) {
      for (const record of records.slice(first, first + RECORDS_A_TURN)) take(record);
      // Records may come faster than they are taken: others get their turn in between.
      await setImmediate();
    }
  }
  if (rest !== '') throw new Error(`the list of files is cut off at "${rest.slice(0, 80)}"`);
}
