import { open } from 'node:fs/promises';
import { KedgeError } from '../../src/domain/kedge-error.js';
import { askGuest, askGuestStatus } from './ask-guest.js';
import { JOURNAL_RECORD_BYTES } from './journal-record.js';
import { readObserverReport } from './read-witness.js';

export type CorruptionRequest =
  | { readonly what: 'memory'; readonly observerSocket: string; readonly vmid: number }
  | { readonly what: 'disk'; readonly observerSocket: string; readonly vmid: number; readonly imagePath: string };

/** Bytes of a record's filler: damage there changes nothing but the checksum. */
const DAMAGED = { from: 100, length: 16 };

/**
 * Does to a witness guest what a bad migration would do, to prove that the witness sees it: one byte of its memory, or some
 * bytes of an acknowledged journal record. Says what it did.
 * @throws KedgeError `guest-state` when nothing was acknowledged yet, `storage-failed`, and as `askGuest`
 */
export async function corruptWitness(request: CorruptionRequest): Promise<string> {
  switch (request.what) {
    case 'memory':
      await askGuest(request, 'corrupt memory');
      return `flipped one byte in the memory of guest ${request.vmid}`;
    case 'disk':
      return corruptDisk(request);
  }
}

async function corruptDisk({ observerSocket, vmid, imagePath }: Extract<CorruptionRequest, { what: 'disk' }>): Promise<string> {
  const { slots } = (await askGuestStatus({ observerSocket, vmid })).journal;
  const { boots } = await readObserverReport({ observerSocket, vmid });
  const seq = boots.at(-1)?.journalAcked ?? 0;
  if (seq === 0 || slots === 0) throw new KedgeError('guest-state', `Cannot corrupt the disk of guest ${vmid}: no journal record was acknowledged yet`);
  const offset = ((seq - 1) % slots) * JOURNAL_RECORD_BYTES + DAMAGED.from;
  try {
    const file = await open(imagePath, 'r+');
    try {
      const { buffer } = await file.read(Buffer.alloc(DAMAGED.length), 0, DAMAGED.length, offset);
      await file.write(
        buffer.map((byte) => byte ^ 0xff),
        0,
        DAMAGED.length,
        offset,
      );
      await file.sync();
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new KedgeError('storage-failed', `Cannot corrupt the disk of guest ${vmid} in ${imagePath}`, { cause: error, details: { imagePath } });
  }
  return `inverted ${DAMAGED.length} bytes of journal record ${seq} of guest ${vmid}, at byte ${offset} of ${imagePath}`;
}
