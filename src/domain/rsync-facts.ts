/** What an rsync can do. */
export interface RsyncFacts {
  readonly version: string;
  /** Names of its compress list. */
  readonly compression: readonly string[];
}
