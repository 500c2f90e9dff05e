import { join } from 'node:path';
import type { GuestKind } from '../domain/ownership.js';

/** The three roots of Kedge on a node; the lab and tests override them by environment. */
export interface KedgePaths {
  readonly etc: string;
  readonly state: string;
  readonly run: string;
}

/** Roots from the environment: `KEDGE_ETC`, `KEDGE_STATE`, `KEDGE_RUN`; defaults are the system's folders. */
export function pathsFromEnvironment(environment: NodeJS.ProcessEnv = process.env): KedgePaths {
  return {
    etc: environment['KEDGE_ETC'] ?? '/etc/kedge',
    state: environment['KEDGE_STATE'] ?? '/var/lib/kedge',
    run: environment['KEDGE_RUN'] ?? '/run/kedge',
  };
}

/** Cluster-wide settings: Temporal server, nodes, defaults. */
export const clusterConfigFile = (paths: KedgePaths): string => join(paths.etc, 'kedge.yaml');
/** Settings of this node. */
export const nodeConfigFile = (paths: KedgePaths): string => join(paths.etc, 'node.yaml');
export const storageConfigFile = (paths: KedgePaths): string => join(paths.etc, 'storage.cfg');
/** Configs of the guests of one kind, in PVE's folders. */
export const guestConfigFolder = (paths: KedgePaths, kind: GuestKind): string => join(paths.etc, kind === 'qemu' ? 'qemu-server' : 'lxc');
/** Which device cuts the power of which node, with its passwords; absent: nobody is fenced. Read by the control workers. */
export const fencingConfigFile = (paths: KedgePaths): string => join(paths.etc, 'fencing.yaml');
/** Defaults of the cluster in PVE's grammar; may be absent. */
export const datacenterConfigFile = (paths: KedgePaths): string => join(paths.etc, 'datacenter.cfg');
/** x509 files in QEMU's layout: ca-cert.pem, server-cert.pem, server-key.pem, client-cert.pem, client-key.pem. */
export const pkiFolder = (paths: KedgePaths): string => join(paths.etc, 'pki');
/** Key of this node for its peers, and the pinned host keys of all nodes. */
export const sshKeyFile = (paths: KedgePaths): string => join(paths.etc, 'ssh', 'id_ed25519');
export const knownHostsFile = (paths: KedgePaths): string => join(paths.etc, 'ssh', 'known_hosts');
export const recordFolder = (paths: KedgePaths): string => join(paths.state, 'records');
export const journalFolder = (paths: KedgePaths): string => join(paths.state, 'journal');
/** Held by flock for the life of the one node worker. */
export const nodeLockFile = (paths: KedgePaths): string => join(paths.run, 'node.lock');
/** Where `kedge peer` reaches the node worker. */
export const peerSocketFile = (paths: KedgePaths): string => join(paths.run, 'peer.sock');
/** What peers may copy to this node just now, a file a grant. */
export const rsyncGrantFolder = (paths: KedgePaths): string => join(paths.run, 'rsync-grants');
/** Sockets, pid file and stderr of one guest's QEMU. */
export const guestRunFolder = (paths: KedgePaths, vmid: number): string => join(paths.run, 'qemu', String(vmid));
/** QMP socket for effects: one client, the node worker. */
export const controlSocketFile = (paths: KedgePaths, vmid: number): string => join(guestRunFolder(paths, vmid), 'control.qmp');
/** QMP socket for onlookers: audits and tests from outside. */
export const observerSocketFile = (paths: KedgePaths, vmid: number): string => join(guestRunFolder(paths, vmid), 'observer.qmp');
/** LXC's folder of containers (`-P`): the generated config, console and log of each. Gone after a reboot, like the containers. */
export const lxcFolder = (paths: KedgePaths): string => join(paths.run, 'lxc');
/** Facts that a lab overrides (`kedge lab break <node> --claim qemu=…`); absent on a real node. */
export const claimsFile = (paths: KedgePaths): string => join(paths.run, 'claims.yaml');
/** Key of the control workers for the commands of maintenance windows: it may run any command on a node, so it is not the peers' key. */
export const maintenanceKeyFile = (paths: KedgePaths): string => join(paths.etc, 'ssh', 'maintenance_ed25519');
