import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { parseMigrationId, type MigrationId, type Vmid } from '../../../src/domain/ids.js';
import { KedgeError } from '../../../src/domain/kedge-error.js';
import { crashPoint } from '../../../src/drivers/host/crash-point.js';
import { removeDurably, writeDurably } from '../../../src/drivers/host/durable-file.js';
import { errnoOf } from '../../../src/drivers/host/storage-error.js';

/** A disk that stayed here by choice when its guest moved away. */
export interface KeptVolume {
  readonly volumeId: string;
  /** The migration that was asked to keep it. */
  readonly migrationId: MigrationId;
}

/**
 * Which disks of guests that have moved away were kept here by choice: nothing else tells them from what a migration left behind. A note
 * may name a disk that somebody has removed since; it says nothing about one that gets the same name later, so names are dropped from it
 * before they are given away.
 */
export class KeptVolumes {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @throws KedgeError `storage-failed` when the note can't be read */
  async read(vmid: Vmid): Promise<readonly KeptVolume[]> {
    let text: string;
    try {
      text = await readFile(this.#file(vmid), 'utf8');
    } catch (error) {
      if (errnoOf(error) === 'ENOENT') return [];
      throw new KedgeError('storage-failed', `Cannot read ${this.#file(vmid)}`, { cause: error });
    }
    try {
      return noteSchema.parse(JSON.parse(text));
    } catch (error) {
      throw new KedgeError('storage-failed', `Cannot read ${this.#file(vmid)}: it is no note of kept disks`, { cause: error });
    }
  }

  /** Durable when it returns. The caller holds the guest's lock. */
  async add(vmid: Vmid, volumeIds: readonly string[], migrationId: MigrationId): Promise<void> {
    await this.#replace(vmid, volumeIds, { migrationId });
  }

  /** These names are no kept disks, or will be none in a moment. The caller holds the guest's lock. */
  async drop(vmid: Vmid, volumeIds: readonly string[]): Promise<void> {
    await this.#replace(vmid, volumeIds, null);
  }

  async #replace(vmid: Vmid, volumeIds: readonly string[], by: { readonly migrationId: MigrationId } | null): Promise<void> {
    const before = await this.read(vmid);
    const others = before.filter(({ volumeId }) => !volumeIds.includes(volumeId));
    const after = by === null ? others : [...others, ...volumeIds.map((volumeId) => ({ volumeId, migrationId: by.migrationId }))];
    if (after.length === 0 && before.length === 0) return;
    await crashPoint('node.kept-volumes', () =>
      after.length > 0 ? writeDurably(this.#file(vmid), `${JSON.stringify(after)}\n`) : removeDurably(this.#file(vmid)),
    );
  }

  #file(vmid: Vmid): string {
    return join(this.#folder, `${vmid}.kept.json`);
  }
}

const noteSchema = z.array(z.object({ volumeId: z.string(), migrationId: z.string().transform((text) => parseMigrationId(text).id) }));
