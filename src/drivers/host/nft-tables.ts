import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { KedgeError } from '../../domain/kedge-error.js';
import { errnoOf } from './storage-error.js';

const LISTING = z.object({ nftables: z.array(z.object({ table: z.object({ family: z.string(), name: z.string() }).optional() })) });

/**
 * The nftables tables of this network namespace as `<family> <name>`. A node without the program `nft` has none that it could tell of.
 * @throws KedgeError `internal` when the kernel does not tell
 */
export async function listNftTables(): Promise<readonly string[]> {
  try {
    const { stdout } = await promisify(execFile)('nft', ['--json', 'list', 'tables'], { timeout: 10_000, env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
    return LISTING.parse(JSON.parse(stdout)).nftables.flatMap(({ table }) => (table === undefined ? [] : [`${table.family} ${table.name}`]));
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw new KedgeError('internal', 'Cannot list the nftables tables of this node', { cause: error });
  }
}

/** Deletes a table that `listNftTables` has named; one that is gone already is fine. @throws KedgeError `internal` when the kernel refuses */
export async function removeNftTable(table: string): Promise<void> {
  const [family, name] = table.split(' ');
  if (family === undefined || name === undefined || !(await listNftTables()).includes(table)) return;
  try {
    await promisify(execFile)('nft', ['delete', 'table', family, name], { timeout: 10_000, env: { PATH: process.env['PATH'], LC_ALL: 'C' } });
  } catch (error) {
    if ((await listNftTables()).includes(table)) throw new KedgeError('internal', `Cannot delete the nftables table ${table}`, { cause: error });
  }
}
