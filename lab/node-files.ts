/** Files that a machine finds under /etc/kedge: pure text. */
import { join } from 'node:path';
import { stringify } from 'yaml';
import { repositoryFolder } from './lab-folder.js';
import { CONTROL_ADDRESS, TEMPORAL_PORT, nodeAddresses, nodeNames } from './address-plan.js';
import type { LabOptions } from './lab-state.js';

/** kedge.yaml, equal on all nodes; clients on the host reach the server at another address. */
export function clusterYaml(options: LabOptions, temporalAddress = `${CONTROL_ADDRESS}:${TEMPORAL_PORT}`): string {
  const nodes = nodeNames(options.nodes).map((name) => {
    const { control, migration } = nodeAddresses(name);
    return [name, { address: control, migrationAddress: migration }] as const;
  });
  // Whoever wants to see a node's power cut wants to see what comes of its guests; a lab has less patience than a cluster.
  const recovery = options.fencing === true ? { recovery: { enabled: true, suspectAfterSeconds: 10 } } : {};
  return stringify({ cluster: 'lab', temporal: { address: temporalAddress, namespace: 'default' }, nodes: Object.fromEntries(nodes), ...recovery });
}

/** node.yaml: the declared size is the lab's, since /proc shows the size of the whole machine. */
export function nodeYaml(name: string, options: LabOptions): string {
  return stringify({
    name,
    bootIdFile: '/run/kedge/boot-id',
    metrics: { address: '127.0.0.1:9464' },
    memoryBytes: options.nodeMemoryBytes,
    cores: Math.max(1, Math.round(options.nodeCores)),
  });
}

/** fencing.yaml of the control machine: the lab's own agent, which asks the power supply through the folder that both see. */
export function fencingYaml(options: LabOptions): string {
  const agent = join(repositoryFolder(), 'lab', 'fence-lab.sh');
  const devices = nodeNames(options.nodes).map(
    (plug) => [plug, { agent, timeoutSeconds: 60, parameters: { plug, socket: '/run/kedge/power/power.sock' } }] as const,
  );
  return stringify({ nodes: Object.fromEntries(devices) });
}

/** storage.cfg in PVE's grammar: one local storage on the node's own disk, one shared by all nodes. */
export function storageConfig(): string {
  return [
    'dir: local',
    '\tpath /var/lib/kedge/images',
    '\tcontent images,rootdir',
    '',
    'dir: shared',
    '\tpath /mnt/shared',
    '\tcontent images',
    '\tshared 1',
    '',
  ].join('\n');
}

/** sshd for peers only: keys, no passwords, the networks of control and migration. */
export function sshdConfig(name: string): string {
  const { control, migration } = nodeAddresses(name);
  return [
    'Port 22',
    `ListenAddress ${control}`,
    `ListenAddress ${migration}`,
    'HostKey /etc/kedge/ssh/ssh_host_ed25519_key',
    'AuthorizedKeysFile /etc/kedge/ssh/authorized_keys',
    'PermitRootLogin forced-commands-only',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UsePAM no',
    'UseDNS no',
    'AllowUsers root',
    'MaxStartups 100',
    'ClientAliveInterval 5',
    'ClientAliveCountMax 3',
    'PrintMotd no',
    'PidFile none',
    'Subsystem sftp internal-sftp',
    '',
  ].join('\n');
}
