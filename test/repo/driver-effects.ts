/** Finds the functions of src/drivers that change something outside of the process, by what they call, directly or through each other. */
import ts from 'typescript';
import { primitiveOf } from './crash-point-calls.js';
import type { TrackedFile } from './tracked-files.js';

interface Body {
  readonly exported: boolean;
  /** It calls a file system, a program, a process or QEMU itself. */
  readonly raw: boolean;
  /** Names of the functions that it calls. */
  readonly calls: ReadonlySet<string>;
}

/** Programs and files are reached through these modules; what only reads is not listed. */
const RAW = new Set([
  ...['spawn', 'execFile', 'execFileAsync', 'process.kill', 'setPriority', 'os.setPriority'],
  ...['writeFile', 'appendFile', 'rm', 'rmdir', 'rename', 'unlink', 'link', 'symlink', 'chown', 'chmod', 'truncate', 'copyFile'],
  ...['writeFileSync', 'appendFileSync', 'rmSync', 'rmdirSync', 'renameSync', 'unlinkSync', 'linkSync', 'chownSync', 'chmodSync'],
]);

/** Names of the exported functions that have an effect. */
export function driverEffects(files: readonly TrackedFile[]): readonly string[] {
  const bodies = new Map<string, Body>();
  for (const { path, text } of files) readBodies(ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true), bodies);
  const effects = new Set([...bodies].flatMap(([name, { raw }]) => (raw ? [name] : [])));
  for (let before = -1; before !== effects.size; ) {
    before = effects.size;
    for (const [name, { calls }] of bodies) if ([...calls].some((call) => effects.has(call))) effects.add(name);
  }
  return [...effects].filter((name) => bodies.get(name)?.exported === true).sort();
}

function readBodies(source: ts.SourceFile, bodies: Map<string, Body>): void {
  source.forEachChild((node) => {
    if (!ts.isFunctionDeclaration(node) || node.name === undefined) return;
    const found = callsIn(node);
    const calls = new Set(found.map((call) => call.expression.getText()));
    const raw = found.some((call) => RAW.has(call.expression.getText()) || primitiveOf(call)?.startsWith('QMP ') === true);
    const exported = node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) ?? false;
    // A private name that two files have is one that has an effect as soon as one of them has.
    const other = exported ? undefined : bodies.get(node.name.text);
    bodies.set(node.name.text, {
      exported: exported || (other?.exported ?? false),
      raw: raw || (other?.raw ?? false),
      calls: new Set([...calls, ...(other?.calls ?? [])]),
    });
  });
}

function callsIn(root: ts.Node): readonly ts.CallExpression[] {
  const found: ts.CallExpression[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node)) found.push(node);
    node.forEachChild(visit);
  };
  visit(root);
  return found;
}
