import { JOURNAL_RECORD_BYTES, parseJournalRecord, type JournalRecord } from './journal-record.js';

/** What one boot of the guest was promised: records `first` to `acked` are on the disk. */
export interface AckedBoot {
  readonly nonce: string;
  readonly first: number;
  /** 0: nothing was acknowledged yet. */
  readonly acked: number;
}

export interface BadRecord {
  readonly seq: number;
  readonly nonce: string;
  readonly slot: number;
  /** Byte offset in the image. */
  readonly offset: number;
  readonly why: string;
}

export interface JournalCheck {
  readonly ok: boolean;
  /** Acknowledged records that had to be there; older ones were overwritten, the journal is a ring. */
  readonly checked: number;
  readonly bad: number;
  /** The bad record with the lowest sequence number. */
  readonly firstBad: BadRecord | null;
}

export interface JournalExpectation {
  readonly vmid: number;
  /** Records that the ring holds. */
  readonly slots: number;
  /** Oldest boot first, as the observer reports them. */
  readonly boots: readonly AckedBoot[];
}

/**
 * Checks that every acknowledged record is on the disk, in order and undamaged. Feed the image from its beginning with `add`,
 * then ask for `result`. The image may be in use: records newer than the acknowledged ones are allowed.
 */
export function createJournalCheck(expected: JournalExpectation): { add(chunk: Buffer): void; result(): JournalCheck } {
  const newest = Math.max(0, ...expected.boots.map(({ acked }) => acked));
  let slot = 0;
  let checked = 0;
  let bad = 0;
  let firstBad: BadRecord | null = null;
  let rest: Buffer = Buffer.alloc(0);
  let before: JournalRecord | null = null;

  const complain = (wanted: { seq: number; nonce: string }, why: string): void => {
    bad += 1;
    if (firstBad === null || wanted.seq < firstBad.seq) firstBad = { ...wanted, slot, offset: slot * JOURNAL_RECORD_BYTES, why };
  };
  const look = (bytes: Buffer, offset: number): void => {
    const wanted = wantedAt(expected, { slot, newest });
    if (wanted === null) {
      before = null;
      return;
    }
    checked += 1;
    const parsed = parseJournalRecord(bytes, offset);
    const why = complaint(parsed, { wanted, expected, before });
    if (why !== null) complain(wanted, why);
    before = parsed.kind === 'record' && why === null ? parsed.record : null;
  };

  return {
    add(chunk) {
      rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
      let offset = 0;
      for (; offset + JOURNAL_RECORD_BYTES <= rest.length && slot < expected.slots; offset += JOURNAL_RECORD_BYTES) {
        look(rest, offset);
        slot += 1;
      }
      rest = slot < expected.slots ? rest.subarray(offset) : Buffer.alloc(0);
    },
    result() {
      // An image that ends early is missing whatever should have stood there.
      for (; slot < expected.slots; slot += 1) look(Buffer.alloc(0), 0);
      return { ok: bad === 0, checked, bad, firstBad };
    },
  };
}

interface Wanted {
  readonly seq: number;
  readonly nonce: string;
}

/** The acknowledged record that must stand in a slot: the newest that belongs there; null if there is none. */
function wantedAt({ boots, slots }: JournalExpectation, { slot, newest }: { slot: number; newest: number }): Wanted | null {
  const lap = Math.floor((newest - 1 - slot) / slots);
  if (newest === 0 || lap < 0) return null;
  const seq = lap * slots + slot + 1;
  // The boot that owns it is the last one that claims it: a later boot may only continue.
  const owner = boots.findLast(({ first, acked }) => first <= seq && seq <= acked);
  return owner === undefined ? null : { seq, nonce: owner.nonce };
}

function complaint(
  parsed: ReturnType<typeof parseJournalRecord>,
  { wanted, expected, before }: { wanted: Wanted; expected: JournalExpectation; before: JournalRecord | null },
): string | null {
  switch (parsed.kind) {
    case 'empty':
      return 'the record is missing: the sector is empty';
    case 'bad':
      return parsed.why;
    case 'record':
      break;
  }
  const { record } = parsed;
  if (record.vmid !== expected.vmid) return `the record is of guest ${record.vmid}`;
  if (record.seq < wanted.seq) return `the record is old: it has sequence number ${record.seq}`;
  // Overwritten since the acknowledgement by the next lap of the ring: that is a newer, equally checked record.
  if (record.seq > wanted.seq) return (record.seq - wanted.seq) % expected.slots === 0 ? null : `the record has sequence number ${record.seq}`;
  if (record.nonce !== wanted.nonce) return `the record was written by boot ${record.nonce}`;
  if (before?.nonce === record.nonce && before.seq + 1 === record.seq && (before.tick > record.tick || before.clockNs >= record.clockNs)) {
    return 'the record is older than the one before it: two runners wrote this journal';
  }
  return null;
}
