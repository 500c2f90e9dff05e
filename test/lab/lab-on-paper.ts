import { labFolder } from '../../lab/lab-folder.js';
import type { LabState } from '../../lab/lab-state.js';
import { planLab } from '../../lab/plan-lab.js';

/** A planned lab of two nodes that was never built. */
export function labOnPaper(): LabState {
  return planLab(
    labFolder('paper'),
    { nodes: 2, nodeMemoryBytes: 4 * 1024 ** 3, nodeCores: 2, nodeDiskBytes: 8 * 1024 ** 3, slow: { node2: 0.5 } },
    { port: 4711, layout: { limits: 'v1', parents: ['/sys/fs/cgroup/memory'] }, now: new Date('2026-01-01T00:00:00.000Z') },
  );
}
