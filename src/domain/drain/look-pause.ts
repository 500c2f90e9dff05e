/** A drain that only waits looks at last this many times less often: each look is history, and asks the whole cluster. */
const LONGEST = 6;

export interface LookPause {
  /** Between two looks while something changes. */
  readonly lookMs: number;
  /** Looks in a row that showed the same. */
  readonly sameLooks: number;
  /** How long until something is due by the clock; past ones don't count. */
  readonly dueInMs: readonly number[];
}

/** How long a drain that waits for something it is not told of may sleep: longer while nothing changes, and never past what is due. */
export function lookPause({ lookMs, sameLooks, dueInMs }: LookPause): number {
  const pause = lookMs * Math.min(2 ** sameLooks, LONGEST);
  return Math.min(pause, ...dueInMs.filter((ms) => ms > 0));
}
