import { takeFileLock } from '../src/drivers/host/file-lock.js';
import { withoutStruckCrashes } from './faults/local-faults.js';
import { labFolder } from './lab-folder.js';
import type { LabState } from './lab-state.js';
import { readLab } from './lab-store.js';

/** Runs a change of a lab while no other change runs. @throws KedgeError `not-found`, and what the change throws */
export async function changeLab<Result>(name: string, change: (lab: LabState) => Promise<Result>): Promise<Result> {
  readLab(name);
  const lock = await takeFileLock(labFolder(name).lockFile, { waitMs: 60_000 });
  try {
    return await change(withoutStruckCrashes(readLab(name)));
  } finally {
    lock.release();
  }
}
