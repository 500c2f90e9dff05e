import { streamRecords } from './stream-records.js';

/** One extended attribute; path and name are bytes (latin1). */
export interface TreeAttribute {
  /** Relative to the root, as getfattr prints it: special characters as octal numbers. */
  readonly path: string;
  readonly name: string;
  /** Hexadecimal. */
  readonly value: string;
}

const FILE = '# file: ';

/**
 * Lists the extended attributes of a tree: `security.capability` and the ACLs (`system.posix_acl_*`) are among them. Symbolic links
 * are not followed.
 * @throws KedgeError as `streamRecords`
 */
export async function listAttributes(root: string, signal: AbortSignal, take: (attribute: TreeAttribute) => void): Promise<void> {
  let path = '';
  const program = ['getfattr', '--recursive', '--physical', '--no-dereference', '--dump', '--match=-', '--encoding=hex', '--absolute-names', '.'] as const;
  await streamRecords({ programs: [program], folder: root, separator: '\n', signal }, (line) => {
    if (line.startsWith(FILE)) path = line.slice(FILE.length);
    else if (line !== '') {
      // The name has no "=": getfattr prints that as an octal number.
      const at = line.indexOf('=');
      take({ path, name: at === -1 ? line : line.slice(0, at), value: at === -1 ? '' : line.slice(at + 1) });
    }
  });
}
