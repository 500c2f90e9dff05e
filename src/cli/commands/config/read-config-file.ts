import { readFile } from 'node:fs/promises';
import type { ConfigProblem } from '../../../schema/config-problem.js';

/** Reads a config file as UTF-8; what stands in the way is a problem of the file, so that the others are still checked. */
export async function readConfigFile(file: string): Promise<{ readonly source: string; readonly problem: ConfigProblem | null }> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { source: '', problem: { severity: 'error', line: 1, column: 1, message: `cannot be read: ${reason}` } };
  }
  const source = bytes.toString('utf8');
  const again = Buffer.from(source, 'utf8');
  if (again.equals(bytes)) return { source, problem: null };
  const wrong = bytes.findIndex((byte, index) => byte !== again[index]);
  const before = bytes.subarray(0, wrong).toString('utf8').split('\n');
  const place = { line: before.length, column: Array.from(before.at(-1) ?? '').length + 1 };
  return {
    source,
    problem: { severity: 'error', ...place, message: 'is not UTF-8 from here on: write other signs percent-encoded, or save the file as UTF-8' },
  };
}
