import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import { KedgeError } from '../../domain/kedge-error.js';

const LINKS = z.array(
  z.object({
    ifname: z.string(),
    mtu: z.int(),
    flags: z.array(z.string()).optional(),
    link_netnsid: z.int().optional(),
    master: z.string().optional(),
    linkinfo: z.object({ info_kind: z.string().optional(), info_data: z.object({ vlan_filtering: z.int().optional() }).optional() }).optional(),
  }),
);

/** A network device of this node as `ip link` shows it. */
export type Link = z.infer<typeof LINKS>[number];

/** By netlink, not /sys: a node in a network namespace may see the /sys of another. @throws KedgeError `internal` */
export async function readLinks(): Promise<readonly Link[]> {
  return LINKS.parse(JSON.parse(await ip(['-json', '-details', 'link', 'show'])));
}

/**
 * Does surely nobody use this device of a guest? A tap that is up has a carrier as long as a process has it open (of one that is down the kernel
 * does not tell); a veth whose other end is in another network namespace belongs to whatever lives there, and goes with it.
 */
export function isIdleLink({ flags = [], link_netnsid, linkinfo }: Link): boolean {
  return linkinfo?.info_kind === 'veth' ? link_netnsid === undefined : flags.includes('NO-CARRIER');
}

/** Removes a network device; one that is gone already is fine. @throws KedgeError `internal` when the kernel refuses */
export async function removeLink(name: string): Promise<void> {
  const exists = async (): Promise<boolean> => (await readLinks()).some((link) => link.ifname === name);
  if (!(await exists())) return;
  try {
    await ip(['link', 'delete', 'dev', name]);
  } catch (error) {
    // Two may remove it at once.
    if (await exists()) throw error;
  }
}

/** Runs `ip`. @throws KedgeError `internal` with what it said */
export async function ip(args: readonly string[]): Promise<string> {
  try {
    return (await promisify(execFile)('ip', [...args], { timeout: 10_000, env: { PATH: process.env['PATH'], LC_ALL: 'C' } })).stdout;
  } catch (error) {
    throw new KedgeError('internal', `Cannot run ip ${args.join(' ')}: ${error instanceof Error ? error.message.trim() : String(error)}`, { cause: error });
  }
}
