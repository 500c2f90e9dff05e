import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { RecoveryPhase, RecoveryReport } from '../../../domain/recovery.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

const PHASES: Readonly<Record<RecoveryPhase, string>> = {
  looking: 'it is suspect and looked into',
  asking: 'an operator has to decide',
  starting: 'it is off, its guests are started elsewhere',
  settling: 'it is heard again; some of its guests are still being started',
  back: 'it is heard again',
};

/** `kedge node recovery <node>`: what is known of a silent node, and what became of its guests. */
export function nodeRecoveryCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('recovery', {
    description: 'Show what is known of a node that was or is not heard, and what became of its guests',
    examples: ['kedge node recovery node2', 'kedge node recovery node2 --json'],
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      const report = await withCluster(context, globalOptions(command), (cluster) => cluster.readRecovery(node));
      printData(context, report, { json: options.json, text: textOf });
    });
}

function textOf({ node, phase, evidence, question, proof, taken, left, trouble }: RecoveryReport): string {
  return [
    `Recovery of ${node}: ${PHASES[phase]}\n`,
    ...evidence.map((fact) => `  known     ${fact}\n`),
    ...(proof === null ? [] : [`  off       by the word of ${proof.statedBy}\n`]),
    ...(trouble == null ? [] : [`  trouble   the last look did not come to its end: ${trouble}\n`]),
    ...(question === null ? [] : [`  asked     ${question}\n`]),
    ...taken.map(({ vmid, to, problem }) => `  taken     ${vmid} by ${to}${problem === null ? '' : `: ${problem}`}\n`),
    ...left.map(({ vmid, reason }) => `  left      ${vmid ?? 'a storage'}: ${reason}\n`),
  ].join('');
}
