import { describe, expect, it } from 'vitest';
import { createJournalCheck, type AckedBoot, type JournalCheck } from '../../../lab/witness/journal-check.js';
import { NONCE, writeImage, type WrittenRecord } from './journal-image.js';

const SLOTS = 64;
const FIRST_BOOT = NONCE.toString(16).padStart(16, '0');
const SECOND_BOOT = '0000000000000b07';
const oneBoot = (acked: number): AckedBoot[] => [{ nonce: FIRST_BOOT, first: 1, acked }];

function check(image: Buffer, boots: readonly AckedBoot[], options: { chunk?: number; slots?: number } = {}): JournalCheck {
  const journal = createJournalCheck({ vmid: 101, slots: options.slots ?? SLOTS, boots });
  const step = options.chunk ?? 1 << 20;
  for (let at = 0; at < image.length; at += step) journal.add(image.subarray(at, at + step));
  return journal.result();
}

const with40 = (change: (seq: number) => Partial<WrittenRecord> | 'not written'): Buffer => writeImage({ slots: SLOTS, newest: 40 }, change);

describe('a healthy journal', () => {
  it('has every acknowledged record', () => {
    expect(check(writeImage({ slots: SLOTS, newest: 40 }), oneBoot(40))).toEqual({ ok: true, checked: 40, bad: 0, firstBad: null });
  });

  it('may hold records that were not acknowledged yet', () => {
    expect(check(writeImage({ slots: SLOTS, newest: 43 }), oneBoot(40))).toMatchObject({ ok: true, checked: 40 });
  });

  it('is a ring: older records are overwritten by newer laps', () => {
    expect(check(writeImage({ slots: SLOTS, newest: 200 }), oneBoot(200))).toMatchObject({ ok: true, checked: SLOTS });
  });

  it('may overwrite the oldest records while it is read', () => {
    expect(check(writeImage({ slots: SLOTS, newest: 203 }), oneBoot(200))).toMatchObject({ ok: true, checked: SLOTS });
  });

  it('is the same in whatever pieces it arrives', () => {
    const image = writeImage({ slots: SLOTS, newest: 100 });
    for (const chunk of [1, 100, 511, 512, 513, 4096]) expect(check(image, oneBoot(100), { chunk })).toMatchObject({ ok: true, checked: SLOTS });
  });

  it('continues over a reboot', () => {
    const image = with40((seq) => (seq > 25 ? { nonce: 0xb07n, first: 26, tick: seq - 25, clockNs: BigInt(seq - 25) } : {}));
    expect(
      check(image, [
        { nonce: FIRST_BOOT, first: 1, acked: 25 },
        { nonce: SECOND_BOOT, first: 26, acked: 40 },
      ]),
    ).toMatchObject({ ok: true, checked: 40 });
  });

  it('needs nothing before the first acknowledgement', () => {
    expect(check(Buffer.alloc(SLOTS * 512), oneBoot(0))).toEqual({ ok: true, checked: 0, bad: 0, firstBad: null });
    expect(check(Buffer.alloc(0), [])).toMatchObject({ ok: true, checked: 0 });
  });

  it('needs nothing that was written before the interval', () => {
    expect(
      check(
        with40((seq) => (seq < 30 ? 'not written' : {})),
        [{ nonce: FIRST_BOOT, first: 30, acked: 40 }],
      ),
    ).toMatchObject({ ok: true, checked: 11 });
  });
});

describe('a damaged journal', () => {
  it('misses an acknowledged record', () => {
    const result = check(
      with40((seq) => (seq === 17 ? 'not written' : {})),
      oneBoot(40),
    );
    expect(result).toMatchObject({ ok: false, bad: 1, firstBad: { seq: 17, slot: 16, offset: 16 * 512, why: expect.stringContaining('missing') } });
  });

  it('shows any flipped byte of an acknowledged record', () => {
    for (const at of [0, 9, 20, 27, 44, 300, 511]) {
      const image = writeImage({ slots: SLOTS, newest: 40 });
      image[5 * 512 + at] = (image[5 * 512 + at] ?? 0) ^ 1;
      expect(check(image, oneBoot(40))).toMatchObject({ ok: false, bad: 1, firstBad: { seq: 6, why: 'wrong checksum' } });
    }
  });

  it('reports the lowest sequence number first, also where the ring has wrapped', () => {
    const image = writeImage({ slots: SLOTS, newest: 100 });
    image.fill(0, 0, 512); // seq 65
    image.fill(0, 50 * 512, 51 * 512); // seq 51
    expect(check(image, oneBoot(100))).toMatchObject({ bad: 2, firstBad: { seq: 51 } });
  });

  it('has old records where a stale copy of the disk came back', () => {
    const stale = writeImage({ slots: SLOTS, newest: 90 });
    expect(check(stale, oneBoot(100))).toMatchObject({ ok: false, bad: 10, firstBad: { seq: 91, why: expect.stringContaining('old') } });
  });

  it('shows the writes of another boot over acknowledged ones', () => {
    const image = with40((seq) => (seq > 35 ? { nonce: 0xb07n } : {}));
    expect(check(image, oneBoot(40))).toMatchObject({ bad: 5, firstBad: { seq: 36, why: `the record was written by boot ${SECOND_BOOT}` } });
  });

  it('shows the writes of a second runner of the same memory', () => {
    const image = with40((seq) => (seq === 30 ? { tick: 100, clockNs: 1n } : {}));
    expect(check(image, oneBoot(40))).toMatchObject({ ok: false, firstBad: { seq: 30, why: expect.stringContaining('two runners') } });
  });

  it('shows the journal of another guest', () => {
    expect(
      check(
        with40(() => ({ vmid: 102 })),
        oneBoot(40),
      ),
    ).toMatchObject({ bad: 40, firstBad: { seq: 1, why: 'the record is of guest 102' } });
  });

  it('shows an image that is too short', () => {
    const image = writeImage({ slots: SLOTS, newest: 40 }).subarray(0, 30 * 512 + 100);
    expect(check(image, oneBoot(40))).toMatchObject({ ok: false, bad: 10, firstBad: { seq: 31 } });
  });

  it('shows a record in the wrong slot', () => {
    const image = writeImage({ slots: SLOTS, newest: 40 });
    image.copy(image, 10 * 512, 12 * 512, 13 * 512);
    expect(check(image, oneBoot(40))).toMatchObject({ firstBad: { seq: 11, why: 'the record has sequence number 13' } });
  });
});
