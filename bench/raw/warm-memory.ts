import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * Has the machine hold so much free memory that was written to just now. A virtual machine gives free memory back to its host, and gets it
 * again page by page, which may take longer than any stream: so a run would measure how long ago the pages that it gets were freed.
 */
export async function warmMemory(bytes: number): Promise<void> {
  await promisify(execFile)(process.execPath, ['--eval', `Buffer.alloc(${bytes}, 1)`]);
}
