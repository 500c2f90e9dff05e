import { createReadStream } from 'node:fs';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { createJournalCheck, type JournalCheck, type JournalExpectation } from './journal-check.js';
import { JOURNAL_RECORD_BYTES } from './journal-record.js';

const CHUNK_BYTES = 1 << 20;

/**
 * Checks the journal in a raw image (or block device) that may be in use, reading it as a stream.
 * @throws KedgeError `storage-failed` when the image can't be read
 */
export async function readJournal(imagePath: string, expected: JournalExpectation): Promise<JournalCheck> {
  const check = createJournalCheck(expected);
  if (expected.slots === 0) return check.result();
  try {
    for await (const chunk of createReadStream(imagePath, { highWaterMark: CHUNK_BYTES, end: expected.slots * JOURNAL_RECORD_BYTES - 1 })) {
      if (Buffer.isBuffer(chunk)) check.add(chunk);
    }
  } catch (error) {
    throw new KedgeError('storage-failed', `Cannot read the journal of guest ${expected.vmid} in ${imagePath}`, { cause: error, details: { imagePath } });
  }
  return check.result();
}
