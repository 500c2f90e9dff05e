import { isIPv6 } from 'node:net';
import { z } from 'zod';
import { ip } from '../host/links.js';

const ROUTES = z.array(z.object({ dev: z.string() }));
const LINKS = z.array(z.object({ mtu: z.int().positive() }));

/** Largest packet that the interface towards `host` lets out; null when the kernel does not say. */
export async function linkMtu(host: string): Promise<number | null> {
  try {
    const [route] = ROUTES.parse(JSON.parse(await ip(['-json', isIPv6(host) ? '-6' : '-4', 'route', 'get', host])));
    if (route === undefined) return null;
    const [link] = LINKS.parse(JSON.parse(await ip(['-json', 'link', 'show', 'dev', route.dev])));
    return link?.mtu ?? null;
  } catch {
    return null;
  }
}
