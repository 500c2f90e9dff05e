import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { repositoryFolder } from '../lab-folder.js';

/** Runs the CLI as a user would, with its words on our terminal or (quiet) kept; resolves with its stdout. */
export interface KedgeRunner {
  (...args: readonly string[]): Promise<string>;
}

/**
 * A runner of `kedge` for one lab. What it prints on stderr is progress, and passes through unless quiet.
 * The returned promise rejects with KedgeError `lab-failed` when the command fails; its output is in the message.
 */
export function kedgeRunner(lab: string, { quiet }: { readonly quiet: boolean }): KedgeRunner {
  return (...args) => {
    if (!quiet) console.log(`\n$ kedge ${args.join(' ')}`);
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [join(repositoryFolder(), 'dist', 'src', 'cli', 'main.js'), ...args], {
        env: { ...process.env, KEDGE_LAB: lab },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      let stdout = '';
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => {
        stdout += chunk.toString();
        if (!quiet) process.stdout.write(chunk);
      });
      child.stderr.on('data', (chunk: Buffer) => {
        stderr += chunk.toString();
        if (!quiet) process.stderr.write(chunk);
      });
      child.on('error', reject);
      child.on('close', (code) => {
        if (code === 0) resolve(stdout);
        else reject(new KedgeError('lab-failed', `Cannot go on: "kedge ${args.join(' ')}" ended with ${String(code)}: ${(stderr + stdout).trim()}`));
      });
    });
  };
}
