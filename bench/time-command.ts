import { spawn } from 'node:child_process';
import { KedgeError } from '../src/domain/kedge-error.js';
import { rowOf, type Row } from './report.js';

/** Wall time of one run in milliseconds. @throws KedgeError `internal` when the command fails: a failure is no measurement */
export async function timeCommand(command: readonly string[], environment: NodeJS.ProcessEnv = {}): Promise<number> {
  const [program = '', ...args] = command;
  const started = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, ...environment } });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', resolve);
  });
  const elapsedMs = performance.now() - started;
  if (code !== 0) throw new KedgeError('internal', `Cannot measure "${command.join(' ')}": it ended with ${code ?? 'a signal'}`);
  return elapsedMs;
}

/** The start of Node.js itself on this machine at this time: what every other number here stands beside. */
export async function noiseRow(runs = 10): Promise<Row> {
  const ours: number[] = [];
  for (let run = 0; run < runs; run += 1) ours.push(await timeCommand([process.execPath, '-e', '0']));
  return rowOf('node -e 0', 'ms', { ours });
}
