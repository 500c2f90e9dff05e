/** Entry of the look-alike: compat/qm imports this file. */
import { processContext } from '../process-context.js';
import { runQm } from './run-qm.js';

process.exit(await runQm(process.argv.slice(2), { ...processContext(), setExitCode: () => undefined }));
