import { mkdirSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Vmid } from '../../../src/domain/ids.js';
import { parseVmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord, RecordView } from '../../../src/domain/ownership.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, stageFile, syncFolder, writeDurably, type StagedFile } from '../../../src/drivers/host/durable-file.js';
import { parseRecord, printRecord } from './record-format.js';

/**
 * The ownership records of this node, one small file per guest.
 *
 * Nothing is cached: a record is read from its file at each decision, so that what is decided is what is durable.
 * Callers hold the guest's lock from the look at the record to the end of what it allowed (guest-locks.ts).
 */
export class RecordStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    mkdirSync(folder, { recursive: true });
  }

  /** Reads one record. A file that can't be read or parsed is `unreadable`: it allows nothing and proves nothing. */
  async read(vmid: Vmid): Promise<RecordView> {
    let text: string;
    try {
      text = await readFile(this.#file(vmid), 'utf8');
    } catch (error) {
      if (isNotFound(error)) return { kind: 'missing' };
      return { kind: 'unreadable', reason: reasonOf(error) };
    }
    try {
      const record = parseRecord(text);
      if (record.vmid !== vmid) return { kind: 'unreadable', reason: `Cannot read record: it names guest ${record.vmid}` };
      return { kind: 'record', record };
    } catch (error) {
      return { kind: 'unreadable', reason: reasonOf(error) };
    }
  }

  /** Writes a record: on return it is on the disk under its name. The caller names the crash point. */
  async write(record: OwnershipRecord): Promise<void> {
    await writeDurably(this.#file(record.vmid), printRecord(record));
  }

  /** Writes and fsyncs the next record beside the present one; `commit()` is then one rename, cheap inside the blackout. */
  async stage(record: OwnershipRecord): Promise<StagedFile> {
    return stageFile(this.#file(record.vmid), printRecord(record));
  }

  /** Removes the record of a guest that was destroyed or has moved away for good. */
  async remove(vmid: Vmid): Promise<void> {
    await crashPoint('node.record-removal', () => removeDurably(this.#file(vmid)));
  }

  /**
   * Copies the file of a record, whatever it holds, beside it under a name that is no record's; answers that name. Durable when it returns.
   * For evidence: what is copied stays until an operator removes it.
   */
  async keepCopy(vmid: Vmid): Promise<string> {
    const name = `${vmid}.set-aside-${new Date().toISOString().replaceAll(':', '.')}`;
    const content = await readFile(this.#file(vmid));
    await crashPoint('node.record-copy', () => writeDurably(join(this.#folder, name), content));
    return name;
  }

  /** All guests that have a record file, readable or not. */
  async list(): Promise<readonly Vmid[]> {
    const names = await readdir(this.#folder);
    return names.flatMap((name) => (/^[1-9][0-9]{2,8}\.json$/.test(name) ? [parseVmid(name.slice(0, -'.json'.length))] : []));
  }

  /**
   * Makes durable what any earlier read has shown. A record that a dead worker renamed in but did not fsync is read like any
   * other, and would be gone after a power cut: whoever tells a peer of a record, or builds on one it finds, syncs in between
   * (found by the model, variants NO_SYNC_AT_START and UNSYNCED_ANSWERS).
   */
  async sync(): Promise<void> {
    await syncFolder(this.#folder);
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.json`);
  }
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
