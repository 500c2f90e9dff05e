import { Command } from '@commander-js/extra-typings';
import { collect, nameOption } from './lab-options.js';

/** `kedge lab up`: builds a lab and waits until its nodes serve. */
export function labUpCommand() {
  return new Command('up')
    .description('Build a lab and wait until its nodes serve; one that is there with the same options is left as it is')
    .addOption(nameOption())
    .option('--nodes <count>', 'number of nodes', '3')
    .option('--node-memory <size>', 'declared memory of each node, enforced by cgroup', '4G')
    .option('--node-cores <count>', 'declared cores of each node, enforced by cgroup', '2')
    .option('--node-disk <size>', "size of each node's own disk (sparse)", '8G')
    .option('--slow <node=part>', 'slow a node down to a part of its speed; may be repeated', collect, [])
    .option('--fencing', "let a fence agent cut a silent node's power and start its guests elsewhere; without it an operator decides")
    .addHelpText('after', '\nExamples:\n  kedge lab up --nodes 3\n  kedge lab up --name bench --nodes 2 --node-memory 6G --slow node2=0.5')
    .action(async (options) => {
      const [{ labUp }, { parsePositive, parseSize, parseSlow }, { statusText }, { labStatus }] = await Promise.all([
        import('../../../../lab/up.js'),
        import('../../../../lab/options.js'),
        import('../../../../lab/status-text.js'),
        import('../../../../lab/status.js'),
      ]);
      const nodes = Number(options.nodes);
      const begun = performance.now();
      const { lab, built } = await labUp(
        options.name,
        {
          nodes,
          nodeMemoryBytes: parseSize(options.nodeMemory, '--node-memory'),
          nodeCores: parsePositive(options.nodeCores, '--node-cores'),
          nodeDiskBytes: parseSize(options.nodeDisk, '--node-disk'),
          slow: parseSlow(options.slow, nodes),
          ...(options.fencing === true ? { fencing: true } : {}),
        },
        (text) => console.error(`${((performance.now() - begun) / 1000).toFixed(1).padStart(5)} s  ${text}`),
      );
      console.log(statusText(await labStatus(lab)));
      console.log(built ? `\nLab "${lab.name}" is up; use it with KEDGE_LAB=${lab.name}` : `\nLab "${lab.name}" was up already`);
    });
}
