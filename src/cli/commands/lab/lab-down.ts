import { Command } from '@commander-js/extra-typings';
import { nameOption } from './lab-options.js';

/** `kedge lab down`: removes a lab, half-built or crashed ones too. */
export function labDownCommand() {
  return new Command('down')
    .description('Remove a lab with everything in it, however much of it is left')
    .addOption(nameOption())
    .option('--all', 'remove all labs of this machine')
    .addHelpText('after', '\nExamples:\n  kedge lab down\n  kedge lab down --name bench\n  kedge lab down --all')
    .action(async (options) => {
      const [{ labDown }, { labNames }] = await Promise.all([import('../../../../lab/down.js'), import('../../../../lab/lab-store.js')]);
      for (const name of options.all === true ? labNames() : [options.name]) {
        console.log((await labDown(name)) ? `Lab "${name}" is gone` : `No lab "${name}" is here`);
      }
    });
}
