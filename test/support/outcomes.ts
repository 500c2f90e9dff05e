/** The little language in which a saga test says what goes wrong. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import { WORKER_LOST } from '../../src/domain/read-failure.js';
import { KedgeError } from '../../src/domain/kedge-error.js';
import type { StepRef } from '../../activities/interface.js';
import type { FakeNodeActivities } from './fake-node.js';
import type { FakeWorld } from './fake-world.js';

export type FakeActivityName = keyof FakeNodeActivities;

/** What an activity does instead, the first `times` times that it is called. */
export interface Outcome {
  readonly times: number;
  readonly act: (call: { effect: () => Promise<unknown>; world: FakeWorld; step: StepRef | null }) => Promise<unknown>;
}
export type Outcomes = Partial<Record<FakeActivityName, Outcome>>;

/** Fails for good before it has done anything. */
export const failsBefore: Outcome = {
  times: 1,
  act: async () => {
    throw new KedgeError('qmp-error', 'QEMU said no');
  },
};

/** Does its work, then fails for good. */
export const failsAfter: Outcome = {
  times: 1,
  act: async ({ effect }) => {
    await effect();
    throw new KedgeError('qmp-error', 'QEMU said no, too late');
  },
};

/** Does its work, then its worker dies: Temporal repeats it. */
export const runsTwice: Outcome = {
  times: 1,
  act: async ({ effect }) => {
    await effect();
    throw ApplicationFailure.create({ type: WORKER_LOST, message: 'The worker has died', nextRetryDelay: '1 millisecond' });
  },
};

/** Moves the guest, but has not seen it announced on the target: the workflow's own step has to. */
export const unconfirmed: Outcome = {
  times: 1,
  act: async ({ effect }) => Object.assign({}, await effect(), { confirmed: false }),
};

/** A long call that goes on until it is cancelled, and says so. */
export const lastsUntilCancelled: Outcome = {
  times: 1,
  act: async () => {
    const context = Context.current();
    const beat = setInterval(() => context.heartbeat(), 50);
    await context.cancelled.catch(() => undefined);
    clearInterval(beat);
    throw new KedgeError('cancelled', 'Cancelled on the way');
  },
};

/** Acts, but not before `opened`. */
export function waitsFor(opened: Promise<void>): Outcome {
  return {
    times: 1,
    act: async ({ effect }) => {
      await opened;
      return effect();
    },
  };
}

/** The same failure, every time for so often. */
export function fails(code: KedgeError['code'], times = 1): Outcome {
  return {
    times,
    act: async () => {
      throw new KedgeError(code, `Fails with ${code}`);
    },
  };
}

/** Gets so far in the world, then fails with `code`. */
export function after(prepare: (world: FakeWorld, step: StepRef) => void, code: KedgeError['code']): Outcome {
  return {
    times: 1,
    act: async ({ world, step }) => {
      if (step !== null) prepare(world, step);
      throw new KedgeError(code, `Fails with ${code} on the way`);
    },
  };
}
