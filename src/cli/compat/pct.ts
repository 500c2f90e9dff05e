/** Entry of the look-alike: compat/pct imports this file. */
import { processContext } from '../process-context.js';
import { runPct } from './run-pct.js';

process.exit(await runPct(process.argv.slice(2), { ...processContext(), setExitCode: () => undefined }));
