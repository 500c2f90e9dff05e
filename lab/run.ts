import { spawn } from 'node:child_process';
import { KedgeError } from '../src/domain/kedge-error.js';

/**
 * Runs a tool of the system to its end and returns its standard output.
 * @throws KedgeError `lab-failed` with the command and what it wrote to standard error
 */
export async function run(argv: readonly [string, ...string[]], options: { input?: string; timeoutMs?: number } = {}): Promise<string> {
  const { code, stdout, stderr } = await tryRun(argv, options);
  if (code === 0) return stdout;
  throw new KedgeError('lab-failed', `Cannot run "${argv.join(' ')}": exit ${String(code)}, ${stderr.trim() === '' ? 'no message' : stderr.trim()}`);
}

/** As `run`, for callers that judge the exit code; null means killed by a signal or by the timeout. */
export function tryRun(
  argv: readonly [string, ...string[]],
  options: { input?: string; timeoutMs?: number } = {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const [command, ...args] = argv;
    const child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? 30_000,
      killSignal: 'SIGKILL',
      env: { ...process.env, LC_ALL: 'C' },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    child.on('error', (error) => reject(new KedgeError('lab-failed', `Cannot start "${command}"`, { cause: error })));
    child.on('close', (code) => resolve({ code, stdout, stderr }));
    // A tool that ends without reading its input is judged by its exit code, not by the broken pipe.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}
