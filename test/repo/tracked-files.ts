import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** A file as git tracks it, with its text; binary files don't occur in this repository. */
export interface TrackedFile {
  readonly path: string;
  readonly text: string;
}

/** All files under version control whose path matches, in the state of the work tree. */
export function trackedFiles(matching: RegExp): readonly TrackedFile[] {
  const listed = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0');
  return listed.filter((path) => matching.test(path) && existsSync(path)).map((path) => ({ path, text: readFileSync(path, 'utf8') }));
}

/** `path:line: text` of each line that `isBad` picks: what a failing invariant shows. */
export function badLines(files: readonly TrackedFile[], isBad: (line: string) => boolean): readonly string[] {
  return files.flatMap(({ path, text }) => text.split('\n').flatMap((line, index) => (isBad(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])));
}
