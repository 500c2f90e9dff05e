import type { z } from 'zod';
import { KedgeError } from '../../domain/kedge-error.js';
import { PEER_OPERATIONS, type PeerRequest, isPeerOperation, requestHeadSchema } from './protocol.js';

/** A request line, read: its head always, its body when operation and arguments are understood. */
export interface ParsedRequest {
  readonly id: number;
  /** How long the caller waits for the answer, in milliseconds from the arrival of the line. */
  readonly deadlineMs: number;
  readonly body: PeerRequest | KedgeError;
}

/**
 * Reads one request line. A line with a good head but unknown operation or bad arguments has a KedgeError as its body
 * (`unsupported`, `bad-input`): the caller learns of it by id. Without a head nobody can be answered.
 * @throws KedgeError `bad-input` for what is not a request at all
 */
export function parseRequest(line: string): ParsedRequest {
  const head = requestHeadSchema.safeParse(parseJson(line));
  if (!head.success) throw new KedgeError('bad-input', `Cannot read request: ${explain(head.error)}`);
  const { id, op, deadlineMs, args } = head.data;
  return { id, deadlineMs, body: parseBody(op, args) };
}

/** Parses a line as JSON. @throws KedgeError `bad-input` that quotes the start of the line */
export function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new KedgeError('bad-input', `Cannot read line as JSON: it starts with ${JSON.stringify(line.slice(0, 80))}`, { cause: error });
  }
}

/** All issues of a zod error in one line. */
export function explain(error: z.ZodError): string {
  return error.issues.map((issue) => (issue.path.length === 0 ? issue.message : `${issue.path.join('.')}: ${issue.message}`)).join('; ');
}

function parseBody(op: string, args: unknown): PeerRequest | KedgeError {
  if (!isPeerOperation(op)) {
    return new KedgeError('unsupported', `Cannot do "${op}": this node knows ${Object.keys(PEER_OPERATIONS).join(', ')}`);
  }
  const result = readers[op](args);
  return result.success ? result.request : new KedgeError('bad-input', `Cannot read arguments of ${op}: ${explain(result.error)}`);
}

type ReadResult = { readonly success: true; readonly request: PeerRequest } | { readonly success: false; readonly error: z.ZodError };

/** One reader for each operation, written out so that the compiler sees operation and arguments belong together. */
const readers: Readonly<Record<PeerRequest['op'], (args: unknown) => ReadResult>> = {
  hello: (args) => read(PEER_OPERATIONS.hello.args.safeParse(args), (value) => ({ op: 'hello', args: value })),
  observe: (args) => read(PEER_OPERATIONS.observe.args.safeParse(args), (value) => ({ op: 'observe', args: value })),
  arm: (args) => read(PEER_OPERATIONS.arm.args.safeParse(args), (value) => ({ op: 'arm', args: value })),
  go: (args) => read(PEER_OPERATIONS.go.args.safeParse(args), (value) => ({ op: 'go', args: value })),
  revoke: (args) => read(PEER_OPERATIONS.revoke.args.safeParse(args), (value) => ({ op: 'revoke', args: value })),
  grant: (args) => read(PEER_OPERATIONS.grant.args.safeParse(args), (value) => ({ op: 'grant', args: value })),
  digest: (args) => read(PEER_OPERATIONS.digest.args.safeParse(args), (value) => ({ op: 'digest', args: value })),
  publish: (args) => read(PEER_OPERATIONS.publish.args.safeParse(args), (value) => ({ op: 'publish', args: value })),
  settle: (args) => read(PEER_OPERATIONS.settle.args.safeParse(args), (value) => ({ op: 'settle', args: value })),
  probe: (args) => read(PEER_OPERATIONS.probe.args.safeParse(args), (value) => ({ op: 'probe', args: value })),
  openProbe: (args) => read(PEER_OPERATIONS.openProbe.args.safeParse(args), (value) => ({ op: 'openProbe', args: value })),
  tallyProbe: (args) => read(PEER_OPERATIONS.tallyProbe.args.safeParse(args), (value) => ({ op: 'tallyProbe', args: value })),
};

function read<Value>(result: z.ZodSafeParseResult<Value>, request: (value: Value) => PeerRequest): ReadResult {
  return result.success ? { success: true, request: request(result.data) } : result;
}
