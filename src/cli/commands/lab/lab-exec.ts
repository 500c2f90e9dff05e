import { Command } from '@commander-js/extra-typings';
import { nameOption } from './lab-options.js';

/** `kedge lab exec`: runs a command inside a machine. */
export function labExecCommand() {
  return new Command('exec')
    .description('Run a command inside a machine of the lab; its exit code is ours')
    .argument('<machine>', 'a node, "control", "client" or "switch"')
    .argument('<command...>', 'program and arguments, after "--"')
    .addOption(nameOption())
    .addHelpText('after', '\nExamples:\n  kedge lab exec node1 -- ip address\n  kedge lab exec client -- ping -c 3 10.90.2.10')
    .action(async (machine, command, options) => {
      const [{ readLab, machineOf }, { execInside }] = await Promise.all([import('../../../../lab/lab-store.js'), import('../../../../lab/exec.js')]);
      process.exitCode = await execInside(machineOf(readLab(options.name), machine), command);
    });
}
