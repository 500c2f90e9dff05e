import { join } from 'node:path';
import { pathsFromEnvironment } from '../../../config/paths.js';
import type { CliContext } from '../../cli-context.js';

/** Folder of the authority: `--authority`, else `authority` in the configuration folder of the machine where it was made. */
export function authorityFolder(context: CliContext, options: { readonly authority?: string | undefined }): string {
  return options.authority ?? join(pathsFromEnvironment({ ...context.environment }).etc, 'authority');
}
