/** Reads from the sources where crash points are passed, and which primitives are called inside and outside of them. */
import ts from 'typescript';
import { NAMED_BY_CALLERS, PRIMITIVES } from './crash-primitives.js';
import { trackedFiles, type TrackedFile } from './tracked-files.js';

/** A place where a point is passed. */
export interface PointUse {
  readonly point: string;
  readonly file: string;
  /** Of the function around it. */
  readonly name: string;
  /** The primitives that are called in its effect. */
  readonly calls: readonly string[];
}

export interface CrashPointCalls {
  readonly uses: readonly PointUse[];
  /** `file:line: call`: primitives outside of every point. */
  readonly unguarded: readonly string[];
  /** The places of `NAMED_BY_CALLERS` that do use primitives. */
  readonly exempted: ReadonlySet<string>;
}

const POINT = /^(?:source|target|node|control)\.[a-z-]+$/;
const NAMES = new Set([...Object.values(PRIMITIVES).flat(), ...Object.values(NAMED_BY_CALLERS)]);
const WRITING_QMP = /^(?!query-|qom-get|qmp_capabilities)/;

/** The sources whose processes may be killed at a point. */
export function workerSources(): readonly TrackedFile[] {
  return trackedFiles(/^(worker|activities)\/.*\.ts$/);
}

export function readCrashPointCalls(files: readonly TrackedFile[] = workerSources()): CrashPointCalls {
  const read = files.map(readFile);
  return {
    uses: read.flatMap(({ uses }) => uses),
    unguarded: read.flatMap(({ unguarded }) => unguarded),
    exempted: new Set(read.flatMap(({ exempted }) => [...exempted])),
  };
}

function readFile({ path, text }: TrackedFile): CrashPointCalls {
  const uses: PointUse[] = [];
  const unguarded: string[] = [];
  const exempted = new Set<string>();
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  /** A call whose first argument is no literal takes its point from a table of the same file. */
  const tables = pointLiterals(source).filter((literal) => !isFirstArgument(literal));
  const visit = (node: ts.Node, around: { readonly name: string; readonly inPoint: boolean }): void => {
    const name = nameOf(node) ?? around.name;
    let { inPoint } = around;
    if (ts.isCallExpression(node)) {
      if (calleeOf(node) === 'crashPoint') {
        inPoint = true;
        const [point] = node.arguments;
        const found = point === undefined ? [] : pointLiterals(point);
        const calls = primitivesIn(node);
        for (const literal of found) uses.push({ point: literal.text, file: path, name, calls });
        if (found.length === 0) for (const literal of tables) uses.push({ point: literal.text, file: path, name: keyOf(literal) ?? name, calls });
      } else {
        const primitive = primitiveOf(node);
        const place = `${path}#${name}`;
        if (primitive !== null && !inPoint && NAMED_BY_CALLERS[place] !== undefined) exempted.add(place);
        else if (primitive !== null && !inPoint) {
          const { line } = source.getLineAndCharacterOfPosition(node.getStart());
          unguarded.push(`${path}:${line + 1}: ${primitive} in ${name}`);
        }
      }
    }
    node.forEachChild((child) => visit(child, { name, inPoint }));
  };
  visit(source, { name: path, inPoint: false });
  return { uses, unguarded, exempted };
}

function primitivesIn(node: ts.Node): readonly string[] {
  const found = new Set<string>();
  const visit = (child: ts.Node): void => {
    const primitive = ts.isCallExpression(child) ? primitiveOf(child) : null;
    if (primitive !== null) found.add(primitive);
    child.forEachChild(visit);
  };
  visit(node);
  return [...found];
}

/** `go` for the literal in `{ go: 'target.go-answer' }` or `{ go: step('target.go', …) }`. */
function keyOf(literal: ts.Node): string | null {
  for (let node = literal.parent; !ts.isSourceFile(node); node = node.parent) if (ts.isPropertyAssignment(node)) return node.name.getText();
  return null;
}

/** The primitive that a call is, by its name; null for any other call. */
export function primitiveOf(call: ts.CallExpression): string | null {
  const callee = calleeOf(call);
  if (callee === null) return null;
  const [, method] = callee.split('.');
  if (method === 'execute' || method === 'executeOutOfBand') {
    const [command] = call.arguments;
    return command !== undefined && ts.isStringLiteral(command) && WRITING_QMP.test(command.text) ? `QMP ${command.text}` : null;
  }
  return NAMES.has(callee) || (method !== undefined && NAMES.has(`*.${method}`)) ? callee : null;
}

/** `write`, `records.write`, `storageOf.remove` for `(await storageOf(node, id)).remove(id)`; null for what has no name. */
function calleeOf(call: ts.CallExpression): string | null {
  const callee = call.expression;
  if (ts.isIdentifier(callee)) return callee.text;
  if (!ts.isPropertyAccessExpression(callee)) return null;
  const receiver = lastName(callee.expression);
  return receiver === null ? callee.name.text : `${receiver}.${callee.name.text}`;
}

function lastName(node: ts.Expression): string | null {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node)) return node.name.text;
  if (ts.isParenthesizedExpression(node) || ts.isAwaitExpression(node) || ts.isNonNullExpression(node)) return lastName(node.expression);
  if (ts.isCallExpression(node) || ts.isNewExpression(node)) return lastName(node.expression);
  return null;
}

function pointLiterals(root: ts.Node): readonly ts.StringLiteral[] {
  const found: ts.StringLiteral[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteral(node) && POINT.test(node.text)) found.push(node);
    node.forEachChild(visit);
  };
  visit(root);
  return found;
}

function isFirstArgument(literal: ts.StringLiteral): boolean {
  let node: ts.Node = literal;
  while (ts.isConditionalExpression(node.parent) || ts.isParenthesizedExpression(node.parent)) node = node.parent;
  return ts.isCallExpression(node.parent) && calleeOf(node.parent) === 'crashPoint' && node.parent.arguments[0] === node;
}

function nameOf(node: ts.Node): string | null {
  if (ts.isFunctionDeclaration(node) || ts.isMethodDeclaration(node)) return node.name?.getText() ?? null;
  return null;
}
