import { readFile } from 'node:fs/promises';
import { KedgeError } from '../../domain/kedge-error.js';

const BOOT_ID = /^[A-Za-z0-9-]{8,64}$/;

/**
 * Reads the identity of this boot from the kernel, or from the file that a lab node has instead. Without it no record can be
 * told from one of an earlier boot, so there is no default. @throws KedgeError `bad-config` that names the file
 */
export async function readBootId(file: string): Promise<string> {
  let text: string;
  try {
    text = (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new KedgeError('bad-config', `Cannot read the boot id from "${file}"`, { cause: error, details: { file } });
  }
  if (!BOOT_ID.test(text))
    throw new KedgeError('bad-config', `Cannot read the boot id from "${file}": current value is "${text.slice(0, 80)}"`, { details: { file } });
  return text;
}
