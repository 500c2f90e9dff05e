import { Command, Option } from '@commander-js/extra-typings';
import { parseVmid } from '../../../domain/ids.js';
import { KedgeError } from '../../../domain/kedge-error.js';
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
    .addOption(new Option('--kind <kind>', 'a VM or a container').choices(['qemu', 'lxc'] as const).default('qemu' as const))
    .option('--memory <size>', 'memory of the guest (default: 512M, of a container 128M)')
    .option('--dirty-rate <size>', 'bytes that it overwrites in a second', '20M')
    .option('--working-set <size>', 'memory that it overwrites in turn, and checks', '256M')
    .option('--disks <count|sizes>', 'number of disks of 64 MiB, or their sizes, e.g. 64M,1G; 0: none, no journal', '1')
    .option('--storage <storage>', 'shared or local (default: shared, of a container local)')
    .option('--cores <count>', 'virtual cores', '1')
    .option('--tick <ms>', 'milliseconds between two ticks', '5')
    .option('--unprivileged', 'a container whose root is 100000 outside', false)
    .option('--files <count>', 'small files of a container, and one of each special kind', '0')
    .option('--mount-points <count>', 'mount points of a container beside its root file system', '0')
    .option('--no-start', 'create it only')
    .addHelpText(
      'after',
      '\nExamples:\n  kedge lab witness create 101 --node node1\n  kedge lab witness create 102 --node node2 --memory 1G --working-set 600M --dirty-rate 50M --disks 64M,1G --storage local\n  kedge lab witness create 103 --node node1 --kind lxc --unprivileged --files 20000 --mount-points 2',
    )
    .action(async (text, options, command) => {
      const [{ createWitness }, { readLab }, { parsePositive, parseSize }] = await Promise.all([
        import('../../../../lab/create-witness.js'),
        import('../../../../lab/lab-store.js'),
        import('../../../../lab/options.js'),
      ]);
      const vmid = parseVmid(text);
      const name = `witness-${vmid}`;
      const memory = options.memory ?? (options.kind === 'lxc' ? '128M' : '512M');
      const base = { vmid, name, memoryMiB: Math.floor(parseSize(memory, '--memory') / MIB), tickMs: parsePositive(options.tick, '--tick') };
      const place = { node: options.node, start: options.start };
      // The parent takes the name: it has the same option.
      const lab = readLab(command.optsWithGlobals().name);
      if (options.kind === 'lxc') {
        const { createWitnessContainer } = await import('../../../../lab/create-witness-container.js');
        const [files, mountPoints] = [parseCount(options.files, '--files'), parseCount(options.mountPoints, '--mount-points')];
        await createWitnessContainer(lab, { ...base, unprivileged: options.unprivileged, storage: options.storage ?? 'local', files, mountPoints }, place);
        tell(vmid, place);
        return;
      }
      const sizes = (list: string): number[] => list.split(',').map((size) => Math.ceil(parseSize(size, '--disks') / MIB));
      const disks = /^\d{1,2}$/.test(options.disks) ? Array<number>(Number(options.disks)).fill(DEFAULT_DISK_MIB) : sizes(options.disks);
      await createWitness(
        lab,
        {
          ...base,
          dirtyRate: parseSize(options.dirtyRate, '--dirty-rate'),
          workingSet: parseSize(options.workingSet, '--working-set'),
          disks,
          storage: options.storage ?? 'shared',
          cores: parsePositive(options.cores, '--cores'),
        },
        place,
      );
      tell(vmid, place);
    });
}

function tell(vmid: number, { node, start }: { node: string; start: boolean }): void {
  console.log(start ? `Witness ${vmid} ticks on ${node}` : `Witness ${vmid} is created on ${node}`);
}

function parseCount(text: string, option: string): number {
  if (/^\d{1,7}$/.test(text)) return Number(text);
  throw new KedgeError('bad-input', `Cannot read ${option}: current value is "${text}", must be a whole number`);
}
