import { condition, getExternalWorkflowHandle, isCancellation, setHandler, sleep, workflowInfo } from '@temporalio/workflow';
import type { SlotPriority } from '../src/domain/admission.js';
import type { NodeName } from '../src/domain/ids.js';
import { ADMISSION_ID } from '../src/domain/workflow-names.js';
import { grantedSignal, releaseSlotSignal, requestSlotSignal } from './messages.js';

/** This workflow's place in the cluster's admission. */
export class SlotLease {
  readonly #holder = { holder: workflowInfo().workflowId, runId: workflowInfo().runId };
  #granted = false;

  constructor() {
    setHandler(grantedSignal, () => {
      this.#granted = true;
    });
  }

  /** Waits for a slot on all of `nodes` at once. Asks again while the admission entity is not there yet. */
  async acquire(request: { nodes: readonly NodeName[]; priority: SlotPriority; retryMs: number }): Promise<void> {
    const { nodes, priority, retryMs } = request;
    for (;;) {
      try {
        await getExternalWorkflowHandle(ADMISSION_ID).signal(requestSlotSignal, { ...this.#holder, nodes, priority });
        break;
      } catch (error) {
        if (isCancellation(error)) throw error;
        await sleep(retryMs);
      }
    }
    await condition(() => this.#granted);
  }

  /**
   * Gives the slot back without waiting for the answer, so that it costs the migration no round trip. A message that gets lost
   * leaks nothing: admission frees the leases of ended workflows when somebody waits for them.
   */
  release(): void {
    getExternalWorkflowHandle(ADMISSION_ID)
      .signal(releaseSlotSignal, this.#holder)
      .catch(() => undefined);
  }
}
