import { cpSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFolder } from '../../lab/lab-folder.js';
import { KEDGE_VERSION } from '../../src/domain/version.js';

export const OTHER_VERSION = '0.9.9';

/** The build of this tree and another one of it, which tells another version and has another workflow bundle, so another build id. */
export interface TwoBuilds {
  /** For the environment of the lab: its workers run whatever is installed when they start. */
  readonly environment: Readonly<Record<string, string>>;
  /** What starts from now on; processes that run keep what they were started from. */
  install(which: 'this' | 'other'): void;
  remove(): void;
}

/** The product must be built already. */
export function makeTwoBuilds(): TwoBuilds {
  const root = repositoryFolder();
  // Inside of the repository, as machines of a lab have no other folder of the host, and below its node_modules.
  const folder = join(root, '.cache', `builds-${process.pid}`);
  const current = join(folder, 'current');
  mkdirSync(join(folder, 'this'), { recursive: true });
  symlinkSync(join(root, 'dist'), join(folder, 'this', 'dist'));
  cpSync(join(root, 'dist'), join(folder, 'other', 'dist'), { recursive: true });
  change(join(folder, 'other/dist/src/domain/version.js'), (text) => text.replace(`"${KEDGE_VERSION}"`, `"${OTHER_VERSION}"`));
  // In front: what follows the bundle would be taken for a part of its source map.
  change(join(folder, 'other/dist/workflow-bundle.js'), (text) => `// ${OTHER_VERSION}\n${text}`);
  const install: TwoBuilds['install'] = (which) => {
    symlinkSync(which, `${current}.new`);
    renameSync(`${current}.new`, current);
  };
  install('this');
  const program = `node ${join(current, 'dist/src/cli/main.js')}`;
  return {
    environment: { KEDGE_LAB_NODE_COMMAND: `${program} node run`, KEDGE_LAB_CONTROL_COMMAND: `${program} control` },
    install,
    remove: () => {
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function change(file: string, edit: (text: string) => string): void {
  const before = readFileSync(file, 'utf8');
  const after = edit(before);
  if (after === before) throw new Error(`Cannot make another build: ${file} would be the same`);
  writeFileSync(file, after);
}
