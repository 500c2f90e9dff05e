import { KedgeError } from '../domain/kedge-error.js';

/** What is wrong with one place of a config file. Lines and columns count from 1, columns in characters. */
export interface ConfigProblem {
  /** A warning: PVE reads the file, but leaves out or changes what stands there. */
  readonly severity: 'error' | 'warning';
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A complaint that stops. `what` is the kind of file, e.g. `guest config`. */
export function configError(place: { readonly line: number; readonly column: number }, problem: string, what = 'guest config'): KedgeError {
  return new KedgeError('bad-config', `Cannot read ${what} at line ${place.line}, column ${place.column}: ${problem}`, {
    details: { line: place.line, column: place.column },
  });
}

/** Throws the first error of `problems`, if there is one. @throws KedgeError `bad-config` with line and column */
export function throwFirstError(problems: readonly ConfigProblem[], what: string): void {
  const first = problems.find(({ severity }) => severity === 'error');
  if (first !== undefined) throw configError(first, first.message, what);
}
