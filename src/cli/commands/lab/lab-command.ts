import { Command } from '@commander-js/extra-typings';
import { labBreakCommand } from './lab-break.js';
import { labDownCommand } from './lab-down.js';
import { labExecCommand } from './lab-exec.js';
import { labHealCommand } from './lab-heal.js';
import { labListCommand } from './lab-list.js';
import { labStatusCommand } from './lab-status.js';
import { labUpCommand } from './lab-up.js';
import { labWitnessCommand } from './lab-witness.js';

/** `kedge lab …`: a cluster of real nodes on this machine, to try, test and break things in. */
export function labCommand(): Command {
  return new Command('lab')
    .description('Build, watch and break a cluster of namespaced nodes on this machine (needs root)')
    .addCommand(labUpCommand())
    .addCommand(labStatusCommand())
    .addCommand(labListCommand())
    .addCommand(labExecCommand())
    .addCommand(labBreakCommand())
    .addCommand(labHealCommand())
    .addCommand(labWitnessCommand())
    .addCommand(labDownCommand())
    .addHelpText('after', '\nExamples:\n  $ kedge lab up --nodes 3\n  $ kedge lab break node2 --power off\n  $ kedge lab down');
}
