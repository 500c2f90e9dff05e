import { compareVersions } from '../../domain/compare-versions.js';

const SINCE = '3.3.0';

/**
 * Does the receiving rsync of this version take away what an image ended with before its source came to end in zeroes? Told `--inplace
 * --sparse`, those before 3.3.0 leave it in place, pass after pass (NEWS of 3.3.0; seen with the 3.2.7 of Debian 12).
 */
export function clearsTrailingGap(version: string): boolean {
  return compareVersions(version, SINCE) >= 0;
}
