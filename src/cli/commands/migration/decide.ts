import { Argument, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import { DEATH_DECISIONS, OPERATOR_DECISIONS, type DeathDecision, type OperatorDecision } from '../../../domain/migration.js';
import type { CliContext } from '../../cli-context.js';
import type { Cluster } from '../../cluster.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge migration decide <id> retry|skip|abandon|source-dead|target-dead`: answers the question of a migration in needs-operator. */
export function migrationDecideCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('decide', {
    description: 'Answer a migration that needs an operator; "kedge migration show" tells what each answer does and risks',
    examples: ['kedge migration decide 101-7 retry', 'kedge migration decide 101-7 target-dead --confirm node2'],
    notes:
      'source-dead and target-dead state that the power of that node is off, so that the other one goes on alone. Wrongly stated, the guest may run twice.',
  })
    .argument('<id>', 'like 101-7, or a vmid for its newest migration', parseArgument.migration)
    .addArgument(new Argument('<decision>', 'what to do').choices(OPERATOR_DECISIONS))
    .option('--confirm <node>', 'with source-dead and target-dead: the node whose power you made sure to be off', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (id, decision, options, command) => {
      await withCluster(context, globalOptions(command), async (cluster) => {
        await assertConfirmed(cluster, { id, decision, confirmed: options.confirm });
        await cluster.decideMigration(id, decision, requestedBy(context.environment));
      });
      printData(context, { id, decision }, { json: options.json, text: () => `Decided: ${decision}. Watch it: kedge migration watch ${id}\n` });
    });
}

/** The name of the node is typed, not "yes": the wrong one of the two would be the end of the guest's disks. */
async function assertConfirmed(
  cluster: Cluster,
  { id, decision, confirmed }: { id: string; decision: OperatorDecision; confirmed: string | undefined },
): Promise<void> {
  if (!isDeath(decision)) {
    if (confirmed === undefined) return;
    throw new KedgeError('bad-input', `Cannot confirm ${confirmed} with "${decision}": --confirm belongs to ${DEATH_DECISIONS.join(' and ')}`);
  }
  const { story } = await cluster.showMigration(id);
  if (story === null) throw new KedgeError('server-unreachable', `Cannot decide for migration ${id}: no control worker tells what it asks`);
  const node = decision === 'source-dead' ? story.source : story.target;
  if (confirmed === node) return;
  const risk = story.question?.choices[decision] ?? `State that the power of ${node ?? 'that node'} is off`;
  throw new KedgeError(
    'bad-input',
    `Cannot decide "${decision}" for migration ${id}: current value of --confirm is ${confirmed ?? 'absent'}, must be ${node ?? 'the node'}. ${risk}`,
    {
      details: { remedy: `Make sure that the power of ${node ?? 'the node'} is off, then add --confirm ${node ?? '<node>'}` },
    },
  );
}

function isDeath(decision: OperatorDecision): decision is DeathDecision {
  return DEATH_DECISIONS.some((death) => death === decision);
}
