import { Command } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import { parseVmid } from '../../../domain/ids.js';
import { nameOption } from './lab-options.js';
import { labWitnessCreateCommand } from './lab-witness-create.js';

/** `kedge lab witness`: guests that testify. */
export function labWitnessCommand() {
  return new Command('witness')
    .description('Ask a witness guest what it lived through: ticks, gaps, memory, disk journal, pings')
    .argument('[vmid]', 'the witness')
    .addOption(nameOption())
    .option('--json', 'the verdict as JSON, see docs/witness.md')
    .option('--corrupt <what>', 'damage its memory or disk, which must turn the verdict false')
    .option('--observe <span>', 'watch this long first, e.g. 2s')
    .option('--allowed-reboots <count>', 'reboots that are no loss, e.g. 1 after a power cut', '0')
    .addHelpText(
      'after',
      '\nExamples:\n  kedge lab witness create 101 --node node1\n  kedge lab witness 101\n  kedge lab witness 101 --corrupt memory\n  kedge lab witness reset 101',
    )
    .addCommand(labWitnessCreateCommand())
    .addCommand(labWitnessResetCommand())
    .action(async (text, options) => {
      if (text === undefined) throw new KedgeError('bad-input', 'Cannot ask a witness: name its vmid, or make one with "kedge lab witness create"');
      const vmid = parseVmid(text);
      const [{ readLab }, { observerSocket, witnessPlace }, { readWitness }, { corruptWitness }, { parseDuration }, { verdictText }] = await Promise.all([
        import('../../../../lab/lab-store.js'),
        import('../../../../lab/witness-place.js'),
        import('../../../../lab/witness/read-witness.js'),
        import('../../../../lab/witness/corrupt.js'),
        import('../../../domain/parse-duration.js'),
        import('../../../../lab/verdict-text.js'),
      ]);
      const lab = readLab(options.name);
      const socket = observerSocket(lab);
      const { kind, journal: imagePath } = witnessPlace(lab, vmid);
      if (options.corrupt !== undefined) {
        if (options.corrupt === 'memory' && kind === 'qemu') console.log(await corruptWitness({ what: 'memory', observerSocket: socket, vmid }));
        else if (options.corrupt === 'disk' && imagePath !== null) console.log(await corruptWitness({ what: 'disk', observerSocket: socket, vmid, imagePath }));
        else
          throw new KedgeError(
            'bad-input',
            `Cannot corrupt guest ${vmid}: current value is "${options.corrupt}", must be memory (of a VM), or disk when it has one`,
          );
        return;
      }
      const verdict = await readWitness({
        observerSocket: socket,
        kind,
        vmid,
        imagePath,
        observeMs: options.observe === undefined ? 0 : parseDuration(options.observe, '--observe'),
        allowedReboots: Number(options.allowedReboots),
      });
      console.log(options.json === true ? JSON.stringify(verdict) : verdictText(verdict));
      if (!verdict.ok) process.exitCode = 1;
    });
}

function labWitnessResetCommand() {
  return new Command('reset')
    .description('Begin a new measuring interval: what was seen before is forgotten')
    .argument('<vmid>', 'the witness')
    .addOption(nameOption())
    .addHelpText('after', '\nExample:\n  kedge lab witness reset 101')
    .action(async (text, _, command) => {
      const [{ readLab }, { observerSocket }, { resetWitness }] = await Promise.all([
        import('../../../../lab/lab-store.js'),
        import('../../../../lab/witness-place.js'),
        import('../../../../lab/witness/read-witness.js'),
      ]);
      const vmid = parseVmid(text);
      await resetWitness({ observerSocket: observerSocket(readLab(command.optsWithGlobals().name)), vmid });
      console.log(`Measuring of witness ${vmid} begins anew`);
    });
}
