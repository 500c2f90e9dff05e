/** Entry of `kedge`: bin/kedge imports this file. */
import { processContext } from './process-context.js';
import { runCli } from './run-cli.js';

// A reader that goes away, as `kedge … | head`, is no error of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const exitCode = await runCli(process.argv.slice(2), processContext());
// Commands that run another program (`kedge lab exec`) hand its exit code through.
process.exit(exitCode === 0 ? process.exitCode : exitCode);
