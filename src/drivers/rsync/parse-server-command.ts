import { KedgeError } from '../../domain/kedge-error.js';
import { isGrantToken, type RsyncGrant } from './grant-format.js';

/** What a peer asked sshd to run, when it is what may be run: the receiving side of an rsync. */
export interface ServerCommand {
  readonly token: string;
  /** The path ended with a slash. */
  readonly folder: boolean;
  /** The options as given, not yet judged. */
  readonly words: readonly string[];
}

const LENGTH_LIMIT = 2_048;
/** Nothing that any shell, or rsync's own unquoting, gives a meaning to. */
const PLAIN_WORD = /^[A-Za-z0-9@.,:=_/-]+$/;

/** Options of the receiving side that are about how, not about where; both kinds of copies need them. */
const ANY_COPY: readonly RegExp[] = [
  /^-B[0-9]{1,7}$/,
  /^--timeout=[0-9]{1,5}$/,
  /^--bwlimit=[0-9]{1,10}$/,
  /^--compress-choice=(?:lz4|zstd)$/,
  /^--compress-level=[0-9]{1,2}$/,
  /^--stats$/,
  /^--fsync$/,
  /^--partial$/,
  /^--info=[A-Z0-9,]{1,40}$/,
];
const ALLOWED: Readonly<Record<RsyncGrant['kind'], { readonly letters: string; readonly options: readonly RegExp[] }>> = {
  // Whole file, sparse, ignore times. No recursion, links, devices, modes or owners: only the bytes of one file.
  file: { letters: 'WSI', options: [...ANY_COPY, /^--inplace$/, /^--no-W$/, /^--max-alloc=[0-9]{1,3}G$/] },
  // What --archive --hard-links --acls --xattrs --sparse --one-file-system --checksum come as.
  tree: { letters: 'lHogDtpAXrxSWc', options: [...ANY_COPY, /^--delete$/, /^--numeric-ids$/, /^-@-1$/] },
};
/** Short options in one word; after `e` come the abilities of the client, which rsync hides in an option that a server has no use for. */
const BUNDLE = /^-([A-Za-z]*)e[0-9.]{0,8}\.[A-Za-z]{0,30}$/;

/**
 * Parses the command that a peer's rsync wants to have run: `rsync --server <options> . <token>`.
 * Words are parted by single spaces and never see a shell.
 * @throws KedgeError `bad-input` for everything else
 */
export function parseServerCommand(command: string): ServerCommand {
  if (command.length > LENGTH_LIMIT) throw refused(`it is longer than ${LENGTH_LIMIT} characters`);
  const [program, mode, ...rest] = command.split(' ');
  const odd = rest.find((word) => !PLAIN_WORD.test(word));
  if (odd !== undefined) throw refused(`"${odd.slice(0, 80)}" has characters that no option of ours has`);
  if (program !== 'rsync' || mode !== '--server') throw refused('it is no "rsync --server"');
  if (rest.includes('--sender')) throw refused('it wants to read from this node, which is never granted');
  const dot = rest.indexOf('.');
  const [path, ...more] = dot === -1 ? [] : rest.slice(dot + 1);
  const token = path?.replace(/\/$/, '');
  if (path === undefined || token === undefined || more.length > 0 || !isGrantToken(token)) throw refused('it must end with ". <token of a grant>"');
  return { token, folder: path.endsWith('/'), words: rest.slice(0, dot) };
}

/**
 * The arguments for rsync on this side: options that this kind of grant allows, and the granted path in place of the token.
 * @throws KedgeError `bad-input` that names the option
 */
export function serverArguments(command: ServerCommand, grant: RsyncGrant): readonly string[] {
  const { letters, options } = ALLOWED[grant.kind];
  if (command.folder !== (grant.kind === 'tree')) throw refused(`the grant is for a ${grant.kind}`);
  let bundles = 0;
  for (const word of command.words) {
    const bundle = BUNDLE.exec(word)?.[1];
    if (bundle !== undefined && bundle.split('').every((letter) => letters.includes(letter))) bundles += 1;
    else if (!options.some((option) => option.test(word))) throw refused(`option "${word.slice(0, 80)}" is not allowed for a ${grant.kind}`);
  }
  // Without the bundle rsync would speak an old protocol, whose short options come one by one.
  if (bundles !== 1) throw refused('it must have one word of short options');
  // Otherwise rsync would write another file beside the granted one.
  if (grant.kind === 'file' && !command.words.includes('--inplace')) throw refused('a file is only copied with --inplace');
  return ['--server', ...command.words, '.', grant.kind === 'tree' ? `${grant.path}/` : grant.path];
}

function refused(reason: string): KedgeError {
  return new KedgeError('bad-input', `Cannot run this command for a peer: ${reason}`);
}
