import { Command } from '@commander-js/extra-typings';
import { collect, nameOption } from './lab-options.js';

const EXAMPLES = `
Networks: control, migration, guest. Components: worker, sshd, temporal, control, observer, qemu:<vmid>, lxc:<vmid>.
A fault lasts until "kedge lab heal"; a killed component is restarted by its supervisor within 0.2 s.

Examples:
  kedge lab break node1 --cut migration
  kedge lab break node1 --cut control --direction out --peer node2
  kedge lab break node2 --lose migration --percent 5
  kedge lab break node2 --shape migration --rate 100mbit
  kedge lab break node2 --delay migration --by 20ms --direction out
  kedge lab break node1 --kill worker
  kedge lab break control --kill temporal
  kedge lab break node1 --stop qemu:101
  kedge lab break node2 --power off
  kedge lab break node2 --fill
  kedge lab break node2 --slow-disk 10
  kedge lab break node2 --clock +1h
  kedge lab break node2 --claim qemu=6.2.0 --claim 'bridges=[]'
  kedge lab break node1 --crash-at source.released-record=after`;

/** `kedge lab break`: makes faults. */
export function labBreakCommand() {
  return new Command('break')
    .description('Break a machine of the lab: its cables, processes, power, disk, clock or facts')
    .argument('<machine>', 'a node, "control" or "client"')
    .addOption(nameOption())
    .option('--cut <network>', 'drop everything on its cable to a network')
    .option('--lose <network>', 'drop a part of the packets')
    .option('--percent <number>', 'how much --lose drops', '10')
    .option('--shape <network>', 'limit the rate of its cable')
    .option('--rate <rate>', 'rate for --shape, e.g. 100mbit')
    .option('--delay <network>', 'delay what passes its cable')
    .option('--by <span>', 'delay for --delay in each direction, e.g. 20ms')
    .option('--direction <direction>', 'in, out or both, as the machine sees it', 'both')
    .option('--peer <machine>', 'cut or lose only what passes between the two')
    .option('--kill <component>', 'kill -9; the supervisor restarts it')
    .option('--stop <component>', 'SIGSTOP, or "all" for the whole machine')
    .option('--power <off>', 'cut the power: what was not fsynced is lost')
    .option('--fill [leave]', 'fill its own disk, but for a size')
    .option('--slow-disk [writes]', 'let it write to its own disk only so often a second, 10 by default')
    .option('--clock <shift>', 'shift the clock of its worker, which is restarted, e.g. +1h')
    .option('--claim <key=value>', 'override a fact that the node tells of itself; may be repeated', collect, [])
    .option(
      '--crash-at <point=moment>',
      'kill the worker at a crash point: before, after or lost-reply; or have it do that twice: repeat; may be repeated',
      collect,
      [],
    )
    .addHelpText('after', EXAMPLES)
    .action(async (machine, options) => {
      const [{ breakWishes }, { changeLab }, { breakMachine }, { breakText }] = await Promise.all([
        import('../../../../lab/faults/break-wishes.js'),
        import('../../../../lab/change-lab.js'),
        import('../../../../lab/faults/break-machine.js'),
        import('../../../../lab/status-text.js'),
      ]);
      const wishes = breakWishes(options);
      await changeLab(options.name, async (lab) => {
        let state = lab;
        for (const wish of wishes) {
          const before = state.breaks.length;
          state = await breakMachine(state, machine, wish);
          console.log(wish.kind === 'kill' ? `killed ${wish.target} of ${machine}` : `broken ${state.breaks.slice(before).map(breakText).join()}`);
        }
      });
    });
}
