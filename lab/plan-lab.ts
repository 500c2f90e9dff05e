/** A lab on paper: state before anything exists. */
import { join } from 'node:path';
import { CONTROL_ADDRESS, TEMPORAL_PORT, nodeNames, type Role } from './address-plan.js';
import { cgroupFolders, type CgroupLayout } from './cgroups.js';
import type { LabFolder } from './lab-folder.js';
import type { LabOptions, LabState, Machine } from './lab-state.js';

/** Plans all machines, folders and addresses of a lab; `port` is free on the host's loopback. */
export function planLab(folder: LabFolder, options: LabOptions, host: { port: number; layout: CgroupLayout; now: Date }): LabState {
  const machine = (name: string, role: Role, path: string): Machine => ({
    name,
    role,
    folder: join(folder.path, path),
    cgroups: cgroupFolders(host.layout, { lab: folder.name, machine: name }),
    init: null,
    launcher: null,
    namespaces: {},
    memoryBytes: role === 'node' ? options.nodeMemoryBytes : null,
    cores: role === 'node' ? options.nodeCores * (options.slow[name] ?? 1) : null,
  });
  return {
    v: 1,
    name: folder.name,
    folder: folder.path,
    state: 'building',
    createdAt: host.now.toISOString(),
    options,
    limits: host.layout.limits,
    temporal: { labAddress: `${CONTROL_ADDRESS}:${TEMPORAL_PORT}`, hostAddress: `127.0.0.1:${host.port}`, port: host.port },
    configFile: folder.configFile,
    sharedFolder: folder.sharedFolder,
    observer: { socket: folder.observerSocket, state: folder.observerState },
    machines: [
      machine('switch', 'switch', 'switch'),
      machine('relay', 'relay', 'relay'),
      machine('control', 'control', 'control'),
      machine('client', 'client', 'client'),
      ...nodeNames(options.nodes).map((name) => machine(name, 'node', join('nodes', name))),
    ],
    breaks: [],
  };
}
