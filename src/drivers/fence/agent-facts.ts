import { basename } from 'node:path';
import type { FenceDevice } from '../../schema/fencing-config.js';
import { runFenceAgent } from './run-fence-agent.js';

/** What a fence agent says of itself by its action `metadata`: which parameters it knows, and what it does. */
export interface AgentFacts {
  /** Names of all parameters, also those that are out of use. */
  readonly parameters: ReadonlySet<string>;
  readonly actions: ReadonlySet<string>;
  /** It cuts a machine off from storage or network, whose power stays on: its guests run on. */
  readonly isFabric: boolean;
}

/** The convention's name. A program of another name may have few actions, and take what it does not know for "off". */
const KEEPS_CONVENTION = /^fence_/;
/** It asks no device. */
const LONGEST_SECONDS = 15;

/** Asks an agent for its metadata, without any parameter of a device. Null: it has none, or is not asked, because its name is not fence_…. */
export async function askAgentFacts(device: FenceDevice): Promise<AgentFacts | null> {
  const { agent, timeoutSeconds } = device;
  if (!KEEPS_CONVENTION.test(basename(agent))) return null;
  const { printed } = await runFenceAgent({ action: 'metadata', device: { ...device, timeoutSeconds: Math.min(timeoutSeconds, LONGEST_SECONDS) } });
  return parseAgentFacts(printed);
}

/** Null when the text is no metadata: agents of one's own need not have any. */
export function parseAgentFacts(xml: string): AgentFacts | null {
  const parameters = namesOf(xml, 'parameter');
  const actions = namesOf(xml, 'action');
  // An agent of fabric is undone on the machine itself when that is back; the library of fence-agents writes this for those alone.
  return actions.size === 0 ? null : { parameters, actions, isFabric: /<action\s[^>]*\bautomatic="1"/.test(xml) };
}

function namesOf(xml: string, tag: string): ReadonlySet<string> {
  return new Set([...xml.matchAll(new RegExp(`<${tag}\\s[^>]*\\bname="([^"]*)"`, 'g'))].flatMap(([, name]) => name ?? []));
}
