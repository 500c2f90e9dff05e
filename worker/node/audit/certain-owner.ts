import { parseNodeName, type NodeName, type Vmid } from '../../../src/domain/ids.js';
import type { GuestView, OwnershipRecord } from '../../../src/domain/ownership.js';
import { lookAtGuest } from '../guests/look-at-guest.js';
import type { NodeContext } from '../node-context.js';
import { askPeer } from '../recovery/ask-peer.js';

/** Where a guest surely is, or why nobody can tell. */
export type OwnerEvidence =
  | { readonly certain: true; readonly view: GuestView; readonly record: OwnershipRecord & { readonly state: 'owned' } }
  | { readonly certain: false; readonly because: string };

/**
 * Asks every node of the cluster who owns a guest, now. Certain is only: all have answered, one alone has `owned`, in its present boot and claimed
 * by no migration, and no other node knows a later generation or has a record that can't be read.
 *
 * The caller holds the guest's lock on this node, so that what follows can't be overtaken here: a migration to this node would need the lock to
 * write its `incoming`, and one from here has claimed the record. Holding it while we wait can't deadlock: peers are only asked to `observe`,
 * which takes no lock.
 * @param without this node's own record is left out: it is the one that is in doubt
 */
export async function askForOwner(node: NodeContext, vmid: Vmid, options: { readonly without?: 'own-record' } = {}): Promise<OwnerEvidence> {
  const answers = await askOtherNodes(node, vmid);
  const silent = answers.filter(({ view }) => view === 'unreachable').map(({ peer }) => peer);
  if (silent.length > 0) return unknown(`${silent.join(', ')} ${silent.length === 1 ? 'does' : 'do'} not answer`);
  const others = answers.flatMap(({ view }) => (view === 'unreachable' ? [] : [view]));
  const own = options.without === 'own-record' ? [] : [(await lookAtGuest(node, vmid)).view];
  return judge(vmid, [...own, ...others]);
}

/** What every other node of the cluster says of the guest now. */
export async function askOtherNodes(node: NodeContext, vmid: Vmid): Promise<readonly { readonly peer: NodeName; readonly view: GuestView | 'unreachable' }[]> {
  const peers = Object.keys(node.cluster.nodes)
    .map(parseNodeName)
    .filter((name) => name !== node.node);
  return Promise.all(peers.map(async (peer) => ({ peer, view: await askPeer(node, peer, vmid) })));
}

function judge(vmid: Vmid, views: readonly GuestView[]): OwnerEvidence {
  const unreadable = views.find(({ record }) => record.kind === 'unreadable');
  if (unreadable !== undefined) return unknown(`the record of ${unreadable.node} can't be read`);
  const records = views.flatMap((view) => (view.record.kind === 'record' ? [{ view, record: view.record.record }] : []));
  const owners = records.flatMap(({ view, record }) => (record.state === 'owned' ? [{ view, record }] : []));
  const [owner] = owners;
  if (owner === undefined) return unknown(`no node owns guest ${vmid}`);
  if (owners.length > 1) return unknown(`${namesOf(owners)} all own guest ${vmid}`);
  const { view, record } = owner;
  if (record.migrationId !== undefined) return unknown(`migration ${record.migrationId} has claimed guest ${vmid} on ${view.node}`);
  if (record.bootId !== view.bootId) return unknown(`the record of ${view.node} is of another boot`);
  const later = records.find((other) => other.record.generation > record.generation);
  if (later !== undefined)
    return unknown(`${later.view.node} knows generation ${later.record.generation}, later than ${record.generation} of the owner ${view.node}`);
  return { certain: true, view, record };
}

const unknown = (because: string): OwnerEvidence => ({ certain: false, because });
const namesOf = (owners: readonly { readonly view: { readonly node: NodeName } }[]): string => owners.map(({ view }) => view.node).join(' and ');
