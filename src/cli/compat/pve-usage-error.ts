/** A command line that PVE's tools would refuse: text for stderr; the exit code is 255. */
export class PveUsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'PveUsageError';
  }
}
