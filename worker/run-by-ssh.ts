import { loadClusterConfig } from '../src/config/load-cluster-config.js';
import { knownHostsFile, maintenanceKeyFile, pathsFromEnvironment } from '../src/config/paths.js';
import { KedgeError } from '../src/domain/kedge-error.js';
import { crashPoint } from '../src/drivers/host/crash-point.js';
import { runRemoteCommand } from '../src/drivers/ssh/run-command.js';
import { sshArguments } from '../src/drivers/ssh/ssh-arguments.js';
import type { RunOnNode } from '../activities/control/run-on-node.js';

/** Runs a command of a window as root on a node: with the key for maintenance, and only where the host shows the key that the cluster has pinned. */
export const runBySsh: RunOnNode = async ({ node, command, timeoutMs, onOutput }) => {
  const paths = pathsFromEnvironment();
  // Read anew at each call, as the fencing is: a changed address needs no restart.
  const entry = (await loadClusterConfig(paths)).nodes[node];
  if (entry === undefined) throw new KedgeError('not-found', `Cannot run a command on ${node}: kedge.yaml has no such node`);
  const target = { node, address: entry.address, privateKeyFile: maintenanceKeyFile(paths), knownHostsFile: knownHostsFile(paths) };
  return crashPoint('control.ssh-command', () => runRemoteCommand({ ssh: [...sshArguments(target), node], command, timeoutMs, onOutput }));
};
