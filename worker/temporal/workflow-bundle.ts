import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { KedgeError } from '../../src/domain/kedge-error.js';

/** The prebuilt bundle of all workflows, beside the built sources. @throws KedgeError `internal` when it was not built */
export function workflowBundle(): { codePath: string } {
  const codePath = fileURLToPath(new URL('../../workflow-bundle.js', import.meta.url));
  if (!existsSync(codePath)) throw new KedgeError('internal', `Cannot load the workflows: ${codePath} is missing, "npm run build" makes it`);
  return { codePath };
}
