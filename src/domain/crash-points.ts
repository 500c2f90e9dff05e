/**
 * Every place where a test run may kill a process: durable writes, external effects and messages.
 * Names are `<component>.<what>`; the component is the process that dies (`node`: the worker of either node). A point is used through `crashPoint()`
 * of src/drivers/host/crash-point.ts; a test compares this list with the calls in the code.
 */
export const CRASH_POINTS = [
  'source.claim-record',
  'source.stream-journal',
  'source.stream-start',
  'source.downtime-raised',
  'source.releasing-record',
  'source.arm-message',
  'source.continue',
  'source.completed-seen',
  'source.released-record',
  'source.go-message',
  'source.take-back-record',
  'source.cont',
  'source.revoke-message',
  'source.quit',
  'source.release-files',
  'source.power-down',
  'target.incoming-record',
  'target.config-copy',
  'target.volume-journal',
  'target.publish-volume',
  'target.discard-volumes',
  'target.qemu-start',
  'target.armed-record',
  'target.owned-record',
  'target.cont',
  'target.go-answer',
  'target.revoked-record',
  'target.kill',
  'node.task-noted',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Before the effect, after it, or after it with its answer lost (the effect happened, nobody learns it). */
export const CRASH_MOMENTS = ['before', 'after', 'lost-reply'] as const;
export type CrashMoment = (typeof CRASH_MOMENTS)[number];
