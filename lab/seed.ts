import { chmodSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseNodeName } from '../src/domain/ids.js';
import { seedCredentials } from './credentials.js';
import { labFolder } from './lab-folder.js';
import type { LabState, Machine } from './lab-state.js';
import { machineOf } from './lab-store.js';
import { clusterYaml, fencingYaml, nodeYaml, sshdConfig, storageConfig } from './node-files.js';
import { run } from './run.js';

/**
 * Writes everything that the machines find when they start: configuration, credentials, disk images.
 * A node's disk is one ext4 image with `etc` (mounted at /etc/kedge) and `state` (at /var/lib/kedge).
 */
export async function seedLab(lab: LabState): Promise<void> {
  for (const machine of lab.machines) makeFolders(machine);
  mkdirSync(lab.sharedFolder, { recursive: true });
  mkdirSync(labFolder(lab.name).powerFolder, { recursive: true });
  writeFileSync(lab.configFile, clusterYaml(lab.options, lab.temporal.hostAddress));
  const nodes = lab.machines.filter((machine) => machine.role === 'node');
  for (const machine of lab.machines) writeSettings(lab, machine);
  await seedCredentials(
    nodes.map((node) => ({ name: parseNodeName(node.name), etc: diskEtc(node) })),
    { authority: labFolder(lab.name).authorityFolder, control: diskEtc(machineOf(lab, 'control')) },
  );
  await Promise.all(nodes.map((node) => makeDisk(node, lab.options.nodeDiskBytes)));
}

const diskEtc = (machine: Machine): string => join(machine.folder, 'disk', 'etc');

function makeFolders(machine: Machine): void {
  for (const folder of ['log', 'run', 'stage', 'link', 'disk/etc', 'disk/state']) mkdirSync(join(machine.folder, folder), { recursive: true });
  chmodSync(machine.folder, 0o700);
}

function writeSettings(lab: LabState, machine: Machine): void {
  const etc = diskEtc(machine);
  if (machine.role === 'control' || machine.role === 'node') writeFileSync(join(etc, 'kedge.yaml'), clusterYaml(lab.options));
  if (machine.role === 'control' && lab.options.fencing === true) writeFileSync(join(etc, 'fencing.yaml'), fencingYaml(lab.options), { mode: 0o600 });
  if (machine.role !== 'node') return;
  mkdirSync(join(etc, 'ssh'), { mode: 0o700 });
  mkdirSync(join(etc, 'qemu-server'));
  writeFileSync(join(etc, 'node.yaml'), nodeYaml(machine.name, lab.options));
  writeFileSync(join(etc, 'storage.cfg'), storageConfig());
  writeFileSync(join(etc, 'ssh', 'sshd_config'), sshdConfig(machine.name));
}

async function makeDisk(node: Machine, bytes: number): Promise<void> {
  const image = join(node.folder, 'disk.img');
  writeFileSync(image, '', { mode: 0o600 });
  truncateSync(image, bytes);
  // Lazy tables keep the image sparse and the start fast; a small journal replays fast after a power cut.
  await run([
    'mkfs.ext4',
    '-q',
    '-F',
    '-m',
    '0',
    '-J',
    'size=32',
    '-E',
    'lazy_itable_init=1,lazy_journal_init=1,nodiscard',
    '-d',
    join(node.folder, 'disk'),
    image,
  ]);
}
