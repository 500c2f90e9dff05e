import type { Generation, Vmid } from '../../../src/domain/ids.js';
import type { OwnershipRecord } from '../../../src/domain/ownership.js';
import type { StagedFile } from '../../../src/drivers/host/durable-file.js';

/** Records that are written and fsynced beside the armed one, so that go costs one rename. */
export class OwnedStages {
  readonly #stages = new Map<Vmid, { readonly record: OwnershipRecord; readonly file: StagedFile }>();

  keep(record: OwnershipRecord, file: StagedFile): void {
    this.#stages.set(record.vmid, { record, file });
  }

  take(vmid: Vmid, generation: Generation): StagedFile | null {
    const stage = this.#stages.get(vmid);
    if (stage?.record.generation !== generation) return null;
    this.#stages.delete(vmid);
    return stage.file;
  }

  async drop(vmid: Vmid): Promise<void> {
    const stage = this.#stages.get(vmid);
    this.#stages.delete(vmid);
    await stage?.file.discard();
  }
}
