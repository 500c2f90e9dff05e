import { type NodeName, parseNodeName } from '../../domain/ids.js';
import { isRecord } from '../../domain/is-record.js';
import { KedgeError } from '../../domain/kedge-error.js';

/** What a peer may write to just now: one file, or one folder and what is below. Reading is never granted. */
export interface RsyncGrant {
  /** 32 hex digits that nobody can guess; what the peer names instead of a path. */
  readonly token: string;
  /** The only node that may use it. */
  readonly peer: NodeName;
  readonly kind: 'file' | 'tree';
  /** Absolute path on this node; must exist before rsync starts. */
  readonly path: string;
}

const TOKEN = /^[0-9a-f]{32}$/;

/** Is this text formed like a token? What is not becomes no part of a path. */
export function isGrantToken(text: string): boolean {
  return TOKEN.test(text);
}

/** Prints the file that {@link parseGrant} reads. */
export function printGrant(grant: RsyncGrant): string {
  return `${JSON.stringify(parseGrant(JSON.stringify(grant)))}\n`;
}

/** Reads a grant file. @throws KedgeError `bad-input` that names the field */
export function parseGrant(text: string): RsyncGrant {
  const value: unknown = parseJson(text);
  if (!isRecord(value)) throw bad('it', text);
  const { token, peer, kind, path } = value;
  if (typeof token !== 'string' || !TOKEN.test(token)) throw bad('token', 'not 32 hex digits');
  if (typeof peer !== 'string') throw bad('peer', peer);
  if (kind !== 'file' && kind !== 'tree') throw bad('kind', kind);
  if (typeof path !== 'string' || !isPlainPath(path)) throw bad('path', path);
  return { token, peer: parseNodeName(peer), kind, path };
}

/** Absolute, normal, and not the root itself. */
function isPlainPath(path: string): boolean {
  const [first, ...names] = path.split('/');
  return first === '' && !path.includes('\0') && names.length > 0 && names.every((name) => name !== '' && name !== '.' && name !== '..');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function bad(field: string, value: unknown): KedgeError {
  return new KedgeError('bad-input', `Cannot read an rsync grant: ${field} is ${JSON.stringify(value ?? null).slice(0, 200)}`, { details: { field } });
}
