/**
 * Remembers the task token of every running activity of this node, so that a restarted worker can fail the attempts that
 * died with the old one at once, instead of letting Temporal wait for their timeouts.
 */
export interface RunningTasks {
  /** Notes the token for as long as `work` runs. */
  during<Result>(taskToken: Uint8Array, work: () => Promise<Result>): Promise<Result>;
}
