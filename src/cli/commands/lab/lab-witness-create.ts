import { Command } from '@commander-js/extra-typings';
import { parseVmid } from '../../../domain/ids.js';
import { nameOption } from './lab-options.js';

const MIB = 1024 ** 2;
/** Room for the ring of the witness's journal. */
const DEFAULT_DISK_MIB = 64;

/** `kedge lab witness create`: makes a witness guest through the product, and starts it. */
export function labWitnessCreateCommand() {
  return new Command('create')
    .description('Create a witness guest, start it, and wait until it ticks')
    .argument('<vmid>', 'its number, 100 to 999999999')
    .addOption(nameOption())
    .requiredOption('--node <node>', 'the node that shall own it')
    .option('--memory <size>', 'memory of the guest', '512M')
    .option('--dirty-rate <size>', 'bytes that it overwrites in a second', '20M')
    .option('--working-set <size>', 'memory that it overwrites in turn, and checks', '256M')
    .option('--disks <count|sizes>', 'number of disks of 64 MiB, or their sizes, e.g. 64M,1G; 0: none, no journal', '1')
    .option('--storage <storage>', 'shared or local', 'shared')
    .option('--cores <count>', 'virtual cores', '1')
    .option('--tick <ms>', 'milliseconds between two ticks', '5')
    .option('--no-start', 'create it only')
    .addHelpText(
      'after',
      '\nExamples:\n  kedge lab witness create 101 --node node1\n  kedge lab witness create 102 --node node2 --memory 1G --working-set 600M --dirty-rate 50M --disks 64M,1G --storage local',
    )
    .action(async (text, options) => {
      const [{ createWitness }, { readLab }, { parsePositive, parseSize }] = await Promise.all([
        import('../../../../lab/create-witness.js'),
        import('../../../../lab/lab-store.js'),
        import('../../../../lab/options.js'),
      ]);
      const vmid = parseVmid(text);
      const sizes = (list: string): number[] => list.split(',').map((size) => Math.ceil(parseSize(size, '--disks') / MIB));
      const disks = /^\d{1,2}$/.test(options.disks) ? Array<number>(Number(options.disks)).fill(DEFAULT_DISK_MIB) : sizes(options.disks);
      await createWitness(
        readLab(options.name),
        {
          vmid,
          name: `witness-${vmid}`,
          memoryMiB: Math.floor(parseSize(options.memory, '--memory') / MIB),
          dirtyRate: parseSize(options.dirtyRate, '--dirty-rate'),
          workingSet: parseSize(options.workingSet, '--working-set'),
          disks,
          storage: options.storage,
          cores: parsePositive(options.cores, '--cores'),
          tickMs: parsePositive(options.tick, '--tick'),
        },
        { node: options.node, start: options.start },
      );
      console.log(options.start ? `Witness ${vmid} ticks on ${options.node}` : `Witness ${vmid} is created on ${options.node}`);
    });
}
