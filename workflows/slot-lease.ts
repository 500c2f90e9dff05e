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
   * Gives the slot back; never rejects. Nobody need wait for it, but it must not be the workflow's last word: the server drops a
   * message that is still to be sent when its workflow ends. One that gets lost leaks nothing: admission frees the leases of ended
   * workflows when somebody waits for them.
   */
  async release(): Promise<void> {
    try {
      await getExternalWorkflowHandle(ADMISSION_ID).signal(releaseSlotSignal, this.#holder);
    } catch {
      // Admission is not there, so there is no lease either.
    }
  }
}
