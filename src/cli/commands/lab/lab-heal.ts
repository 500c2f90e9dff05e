import { Command } from '@commander-js/extra-typings';
import { nameOption } from './lab-options.js';

/** `kedge lab heal`: undoes breaks. */
export function labHealCommand() {
  return new Command('heal')
    .description('Undo what was broken, newest first; everything, one machine, or one kind of fault')
    .argument('[machine]', 'a node, "control" or "client"; all when absent')
    .addOption(nameOption())
    .option('--only <kind>', 'cut, lose, shape, delay, stop, power-off, fill, slow-disk, clock, claim or crash-at')
    .option('--power <on>', 'the same as --only power-off')
    .option('--id <number>', 'one break, by the number that "kedge lab status" shows')
    .addHelpText('after', '\nExamples:\n  kedge lab heal\n  kedge lab heal node1\n  kedge lab heal node2 --power on\n  kedge lab heal node1 --only cut')
    .action(async (machine, options) => {
      const [{ changeLab }, { healBreaks }, { breakText }, { machineOf }] = await Promise.all([
        import('../../../../lab/change-lab.js'),
        import('../../../../lab/faults/heal-machine.js'),
        import('../../../../lab/status-text.js'),
        import('../../../../lab/lab-store.js'),
      ]);
      const kind = options.power === undefined ? options.only : 'power-off';
      await changeLab(options.name, async (lab) => {
        if (machine !== undefined) machineOf(lab, machine);
        const { healed } = await healBreaks(
          lab,
          (each) =>
            (machine === undefined || each.machine === machine) &&
            (kind === undefined || each.fault.kind === kind) &&
            (options.id === undefined || each.id === Number(options.id)),
        );
        console.log(healed.length === 0 ? 'Nothing was broken' : healed.map((each) => `healed ${breakText(each)}`).join('\n'));
      });
    });
}
