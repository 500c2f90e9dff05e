import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from './lab-folder.js';
import type { LabState } from './lab-state.js';
import { MARKER } from './machine.js';

/** Starts the lab's power supply, which lives until the lab is taken down: `down` finds it by its marker. */
export function startPowerSupply(lab: LabState): void {
  const log = openSync(join(lab.folder, 'power-supply.log'), 'a', 0o600);
  const child = spawn(process.execPath, [join(repositoryFolder(), 'dist', 'lab', 'power-supply.js'), lab.name], {
    detached: true,
    cwd: '/',
    stdio: ['ignore', log, log],
    env: { ...process.env, [MARKER]: lab.folder },
  });
  closeSync(log);
  child.unref();
}
