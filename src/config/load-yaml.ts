import { readFile } from 'node:fs/promises';
import { type Document, LineCounter, isMap, isNode, isScalar, isSeq, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { KedgeError } from '../domain/kedge-error.js';

/** One thing that is wrong in a file. */
interface Problem {
  readonly line: number;
  readonly field: string;
  readonly value: unknown;
  readonly reason: string;
}

/**
 * Reads a YAML file into the shape of `schema`. An empty file is an empty mapping.
 * @throws KedgeError `bad-config` that names file, line, field, value and remedy of the first problem; all are in `details.problems`
 */
export async function loadYaml<Schema extends z.ZodType>(file: string, schema: Schema): Promise<z.output<Schema>> {
  return parseYaml(await readText(file), { file, schema });
}

/**
 * As {@link loadYaml}, for text that was read already; `file` is for messages. `asWritten`: a key whose mappings hold text for others: a password of
 * digits is no number, which would lose leading zeros and all digits after the sixteenth.
 */
export function parseYaml<Schema extends z.ZodType>(
  text: string,
  { file, schema, asWritten }: { readonly file: string; readonly schema: Schema; readonly asWritten?: string },
): z.output<Schema> {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  if (asWritten !== undefined) keepAsWritten(document, asWritten);
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => ({ line: lines.linePos(error.pos[0]).line, field: '', value: null, reason: error.message }));
    throw badFile(file, problems);
  }
  const unnamed = unnamedKeys(document, lines);
  if (unnamed.length > 0) throw badFile(file, unnamed);
  const result = schema.safeParse(valueOf(document, file) ?? {});
  if (result.success) return result.data;
  const problems = result.error.issues
    .flatMap((issue) => explain(issue))
    .map(({ path, reason }) => ({
      line: lineOf(document, { path, lines }),
      field: path.join('.'),
      value: valueAt(document, path),
      reason,
    }));
  throw badFile(file, problems);
}

function keepAsWritten(document: Document, key: string): void {
  visit(document, {
    Pair: (_, pair) => {
      if (!isScalar(pair.key) || pair.key.value !== key || !isMap(pair.value)) return;
      for (const { value } of pair.value.items) {
        if (isScalar(value) && value.value !== null && value.source !== undefined && typeof value.value !== 'string') value.value = value.source;
      }
    },
  });
}

/** Keys that are lists, mappings or aliases: YAML allows them, no file of ours has them, and the library would warn of each on stderr when it makes text of it. */
function unnamedKeys(document: Document, lines: LineCounter): readonly Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) || !isNode(key)) return;
      problems.push({
        line: lines.linePos(key.range?.[0] ?? 0).line,
        field: '',
        value: null,
        reason: 'a key must be a plain word, not a list, a mapping or an alias',
      });
    },
  });
  return problems;
}

/** An alias of nothing, or of itself many times over, is found only here. */
function valueOf(document: Document, file: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    throw badFile(file, [{ line: 1, field: '', value: null, reason: error instanceof Error ? error.message : String(error) }]);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new KedgeError('bad-config', `Cannot read configuration file "${file}": ${reason}`, { cause: error, details: { file } });
  }
}

function explain(issue: z.core.$ZodIssue): readonly { readonly path: readonly PropertyKey[]; readonly reason: string }[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...issue.path, key], reason: 'is not a known key, remove it' }));
  if (issue.code === 'invalid_key') return [{ path: issue.path, reason: issue.issues[0]?.message ?? issue.message }];
  return [{ path: issue.path, reason: issue.message }];
}

/** Line of the key or item that `path` names; of the deepest part that is there when it is missing. */
function lineOf(document: Document, { path, lines }: { readonly path: readonly PropertyKey[]; readonly lines: LineCounter }): number {
  let node: unknown = document.contents;
  let offset = 0;
  for (const segment of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment));
      if (pair === undefined) break;
      if (isNode(pair.key)) offset = pair.key.range?.[0] ?? offset;
      node = pair.value;
    } else if (isSeq(node)) {
      node = node.items[Number(segment)];
      if (isNode(node)) offset = node.range?.[0] ?? offset;
    } else break;
  }
  return lines.linePos(offset).line;
}

/** By the text of keys: a schema sees `101:` as "101", the document as a number. Null when it is not there. */
function valueAt(document: Document, path: readonly PropertyKey[]): unknown {
  let node: unknown = document.contents;
  for (const segment of path) {
    if (isMap(node)) node = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(segment))?.value;
    else if (isSeq(node)) node = node.items[Number(segment)];
    else return null;
  }
  return isNode(node) ? node.toJS(document) : (node ?? null);
}

function badFile(file: string, problems: readonly Problem[]): KedgeError {
  const [first, ...more] = problems;
  if (first === undefined) throw new RangeError('A bad file has at least one problem');
  const { line, field, value, reason } = first;
  const what = field === '' ? reason : `${field}: current value is ${printValue(value)}, ${reason}`;
  const rest = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return new KedgeError('bad-config', `Cannot read ${file}:${line}: ${what}${rest}`, {
    details: { file, line, field, value, remedy: `Correct line ${line} of ${file}`, problems },
  });
}

function printValue(value: unknown): string {
  return value === null ? 'absent' : JSON.stringify(value);
}
