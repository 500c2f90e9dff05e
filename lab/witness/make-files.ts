import { linkSync, mkdirSync, rmSync, symlinkSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { run } from '../run.js';

const FILES_A_FOLDER = 100;

/** Makes small files numbered from `first` to before `end`, a hundred a folder: 100 bytes to 4 KiB, with times of their own. */
export function makeFiles(folder: string, { first, end }: { first: number; end: number }): void {
  for (let number = first; number < end; number += 1) {
    const place = join(folder, `d${Math.floor(number / FILES_A_FOLDER)}`);
    if (number === first || number % FILES_A_FOLDER === 0) mkdirSync(place, { recursive: true });
    const line = `file ${number} of this witness\n`;
    const file = join(place, `f${number}`);
    writeFileSync(file, line.repeat(4 + (number % 150)), { mode: number % 7 === 0 ? 0o640 : 0o644 });
    utimesSync(file, 1_700_000_000, 1_700_000_000 + number / 1_000);
  }
}

/**
 * Makes one of each thing that a copy of a tree may lose. `rootId` is the container's root outside: ids inside begin there.
 * @throws KedgeError `lab-failed` when a tool fails
 */
export async function makeSpecialFiles(folder: string, rootId: number): Promise<void> {
  const at = (name: string): string => join(folder, name);
  const inside = (id: number): number => rootId + id;
  mkdirSync(at('empty-folder'), { recursive: true });
  writeFileSync(at('hard-link-1'), 'one file, three names\n');
  linkSync(at('hard-link-1'), at('hard-link-2'));
  mkdirSync(at('folder'));
  linkSync(at('hard-link-1'), at('folder/hard-link-3'));
  writeFileSync(at('equal-1'), 'two files, one content\n');
  writeFileSync(at('equal-2'), 'two files, one content\n');
  symlinkSync('hard-link-1', at('link'));
  symlinkSync('/nowhere', at('dangling-link'));
  writeFileSync(at('odd \n\\=name'), 'x');
  writeFileSync(Buffer.concat([Buffer.from(`${folder}/not-utf8-`), Buffer.from([0xff, 0xfe])]), 'x');
  writeFileSync(at('sparse'), 'data, then a hole');
  truncateSync(at('sparse'), 64 << 20);
  writeFileSync(at('closed'), 'secret', { mode: 0 });
  writeFileSync(at('empty'), '');
  await run(['mkfifo', at('fifo')]);
  await run(['mknod', at('character-device'), 'c', '1', '3']);
  await run(['mknod', at('block-device'), 'b', '7', '99']);
  await makeSocket(at('socket'));
  for (const name of ['with-acl', 'with-attribute', 'with-capability', 'setuid', 'of-user-1000']) writeFileSync(at(name), `${name}\n`);
  mkdirSync(at('folder-with-default-acl'));
  await run(['chown', '-hR', `${rootId}:${rootId}`, folder]);
  await run(['chown', `${inside(1_000)}:${inside(1_000)}`, at('of-user-1000')]);
  await run(['chmod', '4755', at('setuid')]);
  await run(['setfacl', '-m', `u:${inside(1_000)}:rw,g:${inside(1_001)}:r`, at('with-acl')]);
  await run(['setfacl', '-d', '-m', `u:${inside(1_000)}:rwx`, at('folder-with-default-acl')]);
  await run(['setfattr', '-n', 'user.witness', '-v', 'kept', at('with-attribute')]);
  // In a user namespace the capability belongs to its root.
  await run(['setcap', ...(rootId === 0 ? [] : ['-n', String(rootId)]), 'cap_net_raw+ep', at('with-capability')]);
}

/** A server removes the name of its socket when it ends; another name of it stays. */
async function makeSocket(path: string): Promise<void> {
  const server = createServer();
  const own = `${path}.s`;
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject);
    server.listen(own, resolve);
  });
  linkSync(own, path);
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
  });
  rmSync(own, { force: true });
}
