import { ERROR_CODES } from '../../domain/error-codes.js';
import type { MigrationCheck } from '../../domain/migration-check.js';
import type { CliContext } from '../cli-context.js';
import { EXIT_CODES } from '../exit-codes.js';
import { checkText } from './check-text.js';
import { printData } from './print-data.js';

/** Prints a check, and sets the exit code: is there a node that the guest can move to? */
export function printCheck(context: CliContext, check: MigrationCheck, { json }: { json: true | undefined }): void {
  printData(context, check, { json, text: checkText });
  context.setExitCode(check.targets.some(({ possible }) => possible) ? EXIT_CODES.ok : ERROR_CODES['migration-refused'].exitCode);
}
