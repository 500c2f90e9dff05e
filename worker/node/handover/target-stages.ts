import type { Generation, Vmid } from '../../../src/domain/ids.js';
import type { StagedFile } from '../../../src/drivers/host/durable-file.js';

/** The target's next two records, written and fsynced when the copy is prepared: in the blackout each costs one rename. */
export interface TargetStages {
  readonly armed: StagedFile;
  readonly owned: StagedFile;
}

/** Keeps the stages of the incoming guests. A restarted worker has none, and writes the records whole. */
export class StagedRecords {
  readonly #stages = new Map<Vmid, TargetStages & { readonly generation: Generation }>();

  keep(vmid: Vmid, stages: TargetStages & { readonly generation: Generation }): void {
    this.#stages.set(vmid, stages);
  }

  /** Null when there are none of this generation. */
  of(vmid: Vmid, generation: Generation): TargetStages | null {
    const stages = this.#stages.get(vmid);
    return stages?.generation === generation ? stages : null;
  }

  /** Removes what was not committed. */
  async drop(vmid: Vmid): Promise<void> {
    const stages = this.#stages.get(vmid);
    this.#stages.delete(vmid);
    await stages?.armed.discard();
    await stages?.owned.discard();
  }
}
