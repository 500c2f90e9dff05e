import { Command } from '@commander-js/extra-typings';
import { nameOption } from './lab-options.js';

/** `kedge lab status`: what the lab consists of, and what is broken in it. */
export function labStatusCommand() {
  return new Command('status')
    .description('Show machines, processes, addresses, guests and what is broken')
    .addOption(nameOption())
    .option('--json', 'every pid, namespace, folder, record and observer QMP socket')
    .addHelpText('after', "\nExamples:\n  kedge lab status\n  kedge lab status --json | jq '.machines[].guests'")
    .action(async (options) => {
      const [{ readLab }, { labStatus }, { statusText }, { withoutStruckCrashes }] = await Promise.all([
        import('../../../../lab/lab-store.js'),
        import('../../../../lab/status.js'),
        import('../../../../lab/status-text.js'),
        import('../../../../lab/faults/local-faults.js'),
      ]);
      const status = await labStatus(withoutStruckCrashes(readLab(options.name)));
      console.log(options.json === true ? JSON.stringify(status, undefined, 2) : statusText(status));
    });
}
