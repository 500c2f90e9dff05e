import { condition, getExternalWorkflowHandle, isCancellation, setHandler, sleep, workflowInfo, type LocalActivityInterfaceFor } from '@temporalio/workflow';
import type { ControlActivities } from '../activities/interface-control.js';
import type { SlotPriority, SlotRelease, SlotRequest } from '../src/domain/admission.js';
import type { NodeName } from '../src/domain/ids.js';
import { ADMISSION_ID } from '../src/domain/workflow-names.js';
import { grantedSignal, releaseSlotSignal, requestSlotSignal } from './messages.js';

/** How messages get to admission. */
export interface AdmissionPost {
  request(request: SlotRequest): Promise<void>;
  release(release: SlotRelease): Promise<void>;
}

/** Through the control worker: one event a message. */
export function postByControl(control: LocalActivityInterfaceFor<ControlActivities>): AdmissionPost {
  return { request: (request) => control.requestSlot(request), release: (release) => control.releaseSlot(release) };
}

/** By signals of the workflow itself: how migrations did it that began before `fewer-events` (patches.ts). */
export function postBySignal(): AdmissionPost {
  const admission = getExternalWorkflowHandle(ADMISSION_ID);
  return { request: (request) => admission.signal(requestSlotSignal, request), release: (release) => admission.signal(releaseSlotSignal, release) };
}

/** This workflow's place in the cluster's admission. */
export class SlotLease {
  readonly #holder = { holder: workflowInfo().workflowId, runId: workflowInfo().runId };
  readonly #post: AdmissionPost;
  #granted = false;

  constructor(post: AdmissionPost) {
    this.#post = post;
    setHandler(grantedSignal, () => {
      this.#granted = true;
    });
  }

  /** Waits for a slot on all of `nodes` at once. Asks again while admission can't be reached. */
  async acquire(request: { nodes: readonly NodeName[]; priority: SlotPriority; retryMs: number }): Promise<void> {
    const { nodes, priority, retryMs } = request;
    for (;;) {
      try {
        await this.#post.request({ ...this.#holder, nodes, priority });
        break;
      } catch (error) {
        if (isCancellation(error)) throw error;
        await sleep(retryMs);
      }
    }
    await condition(() => this.#granted);
  }

  /**
   * Gives the slot back; never rejects. Nobody need wait for it, but it must not be the workflow's last word: what is still to be
   * sent when a workflow ends is dropped. A message that gets lost leaks nothing for long: admission frees the leases of ended
   * workflows when somebody waits for them.
   */
  async release(): Promise<void> {
    try {
      await this.#post.release(this.#holder);
    } catch {
      // Either there is no admission, and so no lease, or the message is lost: see above.
    }
  }
}
