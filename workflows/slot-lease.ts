import {
  ApplicationFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  setHandler,
  sleep,
  workflowInfo,
  type LocalActivityInterfaceFor,
} from '@temporalio/workflow';
import type { ControlActivities, MoveSight } from '../activities/interface-control.js';
import type { SlotRelease, SlotRequest } from '../src/domain/admission.js';
import type { CopyOptions } from '../src/domain/migration.js';
import { ADMISSION_ID } from '../src/domain/workflow-names.js';
import { grantedSignal, releaseSlotSignal, requestSlotSignal, stopWaitingSignal } from './messages.js';

/** How messages get to admission. */
export interface AdmissionPost {
  /** Answers whether the guest may still move; undefined: who hands it over does not look. */
  request(request: SlotRequest): Promise<MoveSight | undefined>;
  release(release: SlotRelease): Promise<void>;
}

/** Through the control worker: one event a message. */
export function postByControl(control: LocalActivityInterfaceFor<ControlActivities>): AdmissionPost {
  return { request: (request) => control.requestSlot(request), release: (release) => control.releaseSlot(release) };
}

/** By signals of the workflow itself: how migrations did it that began before `fewer-events` (patches.ts). */
export function postBySignal(): AdmissionPost {
  const admission = getExternalWorkflowHandle(ADMISSION_ID);
  const request = async (wanted: SlotRequest): Promise<undefined> => {
    await admission.signal(requestSlotSignal, wanted);
  };
  return { request, release: (release) => admission.signal(releaseSlotSignal, release) };
}

/** This workflow's place in the cluster's admission. */
export class SlotLease {
  readonly #holder = { holder: workflowInfo().workflowId, runId: workflowInfo().runId };
  readonly #post: AdmissionPost;
  #granted: Pick<CopyOptions, 'bandwidthShare'> | null = null;
  #isUnwanted = false;

  constructor(post: AdmissionPost) {
    this.#post = post;
    setHandler(stopWaitingSignal, () => {
      this.#isUnwanted = true;
    });
    // A grant of an older Kedge says nothing more.
    setHandler(grantedSignal, ({ bandwidth } = {}) => {
      this.#granted = bandwidth === undefined ? {} : { bandwidthShare: bandwidth };
    });
  }

  /** What was granted for the copy. */
  get granted(): Pick<CopyOptions, 'bandwidthShare'> {
    return this.#granted ?? {};
  }

  /** Asks for a slot on all that the migration needs at once; again while admission can't be reached. To ask twice is harmless. */
  async ask({ retryMs, ...request }: Omit<SlotRequest, 'holder' | 'runId'> & { readonly retryMs: number }): Promise<MoveSight | undefined> {
    for (;;) {
      try {
        return await this.#post.request({ ...request, ...this.#holder });
      } catch (error) {
        if (isCancellation(error)) throw error;
        await sleep(retryMs);
      }
    }
  }

  /** Resolves when the slot is granted. @throws ApplicationFailure `cancelled` when whoever began the migration does not want it to wait any more */
  async whenGranted(): Promise<{ readonly granted: true }> {
    await condition(() => this.#granted !== null || this.#isUnwanted);
    if (this.#granted === null) throw ApplicationFailure.nonRetryable('It had no slot yet when no more moves were wanted', 'cancelled');
    return { granted: true };
  }

  /**
   * Gives the slot back; never rejects. Nobody need wait for it, but it must not be the workflow's last word: what is still to be
   * sent when a workflow ends is dropped. A message that gets lost leaks nothing for long: admission looks for the leases of ended
   * workflows, sooner when somebody waits for them.
   */
  async release(): Promise<void> {
    try {
      await this.#post.release(this.#holder);
    } catch {
      // Either there is no admission, and so no lease, or the message is lost: see above.
    }
  }
}
