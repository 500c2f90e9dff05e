import { addReading, expectedBlackoutMs, type PassReading } from '../../../src/domain/convergence.js';
import type { CopyProgress, CopyRound, MigrationPhase } from '../../../src/domain/migration.js';
import type { MigrationInfo, RamProgress } from '../../../src/drivers/qemu/migration-info.js';

/** Smoothing of the rate: the share of the newest reading. */
const NEWEST_SHARE = 0.4;
const KEPT_ROUNDS = 200;

/** Turns readings of `query-migrate` into rates, rounds and progress. Bounded: a copy may iterate for days. */
export class CopyMeter {
  #last: { readonly atMs: number; readonly bytes: number } | null = null;
  #rate = 0;
  #ram: RamProgress | null = null;
  #movedAtMs = performance.now();
  #passBegan: { readonly atMs: number; readonly bytes: number };
  #readings: readonly PassReading[] = [];
  readonly #rounds: CopyRound[];

  constructor(rounds: readonly CopyRound[]) {
    this.#rounds = [...rounds];
    this.#passBegan = { atMs: performance.now(), bytes: 0 };
  }

  /** Takes one reading in; its status is the caller's matter. */
  update(info: MigrationInfo): void {
    if (info.ram === null) return;
    const now = performance.now();
    const last = this.#last;
    if (last !== null && info.ram.transferred !== last.bytes) this.#movedAtMs = now;
    if (last === null || now - last.atMs >= 100) {
      if (last !== null) {
        const fresh = ((info.ram.transferred - last.bytes) / (now - last.atMs)) * 1_000;
        this.#rate = this.#rate === 0 ? fresh : this.#rate + NEWEST_SHARE * (fresh - this.#rate);
      }
      this.#last = { atMs: now, bytes: info.ram.transferred };
    }
    this.#ram = info.ram;
  }

  /** A new RAM pass has begun; `info` was read at its boundary. */
  passBegins(pass: number, info: MigrationInfo): void {
    this.update(info);
    if (this.#ram === null) return;
    const now = performance.now();
    if (pass > 1) {
      this.#rounds.push({
        round: pass - 1,
        bytesLeft: this.#ram.remaining,
        bytesSent: this.#ram.transferred - this.#passBegan.bytes,
        durationMs: Math.round(now - this.#passBegan.atMs),
      });
      if (this.#rounds.length > KEPT_ROUNDS) this.#rounds.shift();
    }
    this.#passBegan = { atMs: now, bytes: this.#ram.transferred };
    this.#readings = addReading(this.#readings, { pass, remainingBytes: this.#ram.remaining, bandwidth: this.bandwidth, atMs: now });
  }

  /** Forgets what was read so far: under another bandwidth it says nothing about the passes to come. */
  judgeAnew(): void {
    this.#readings = [];
  }

  /** The last pass, which ran while the guest stood still, has ended with nothing left. `info` was read after it. */
  finalPassEnded(info: MigrationInfo): void {
    this.update(info);
    if (this.#ram === null) return;
    const before = this.#rounds.at(-1)?.round ?? 0;
    this.#rounds.push({
      round: before + 1,
      bytesLeft: this.#ram.remaining,
      bytesSent: this.#ram.transferred - this.#passBegan.bytes,
      durationMs: Math.round(performance.now() - this.#passBegan.atMs),
    });
  }

  get readings(): readonly PassReading[] {
    return this.#readings;
  }

  get rounds(): readonly CopyRound[] {
    return this.#rounds;
  }

  get bytesSent(): number {
    return this.#ram?.transferred ?? 0;
  }

  get bytesLeft(): number {
    return this.#ram?.remaining ?? 0;
  }

  get bytesTotal(): number {
    return this.#ram?.total ?? 0;
  }

  /** Number of the pass under way, from 1. */
  get round(): number {
    return Math.max(1, this.#ram?.dirtySyncCount ?? 1);
  }

  /** Bytes per second; QEMU's own figure while ours has not settled. */
  get bandwidth(): number {
    const own = ((this.#ram?.mbps ?? 0) * 1_000_000) / 8;
    return own > 0 ? own : this.#rate;
  }

  /** For how long not one byte has moved; milliseconds. */
  get stillForMs(): number {
    return performance.now() - this.#movedAtMs;
  }

  get expectedBlackoutMs(): number {
    return expectedBlackoutMs({ remainingBytes: this.bytesLeft, bandwidth: this.bandwidth });
  }

  progress(phase: MigrationPhase, reattached: number): CopyProgress {
    const ram = this.#ram;
    const dirtyRate = ram === null ? 0 : ram.dirtyPagesRate * ram.pageSize;
    const expected = this.expectedBlackoutMs;
    return {
      v: 1,
      phase,
      round: this.round,
      bytesSent: this.bytesSent,
      bytesLeft: this.bytesLeft,
      bytesTotal: this.bytesTotal,
      rate: Math.round(this.#rate),
      dirtyRate: Math.round(dirtyRate),
      expectedBlackoutMs: Number.isFinite(expected) ? Math.round(expected) : 0,
      etaSeconds: this.#rate > dirtyRate ? Math.ceil(this.bytesLeft / (this.#rate - dirtyRate)) : null,
      reattached,
    };
  }
}
