import { Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import type { BalanceClusterInput, BalanceReport } from '../../../domain/balance/balance.js';
import { previewBalance } from '../../../domain/balance/next-balance.js';
import { resolveBalance } from '../../../domain/balance/resolve-balance.js';
import { ERROR_CODES } from '../../../domain/error-codes.js';
import { KedgeError } from '../../../domain/kedge-error.js';
import { newDrain } from '../../../domain/drain/drain-state.js';
import { travelsOf } from '../../../domain/drain/travels-of.js';
import type { CliContext } from '../../cli-context.js';
import { EXIT_CODES } from '../../exit-codes.js';
import { followReport } from '../../follow-report.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { openBlackoutsNow } from '../../open-blackouts-now.js';
import { parseArgument } from '../../parse-arguments.js';
import { balanceLine, balanceText } from '../../render/balance-text.js';
import { movesNews } from '../../render/evacuation-text.js';
import { printData } from '../../render/print-data.js';
import { printPlan } from '../../render/print-plan.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';
import { balanceCancelCommand, balanceStatusCommand } from './status.js';

/** `kedge balance --plan | --apply`, and its subcommands. */
export function balanceCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('balance', {
    description: 'Even out how full nodes are, by live moves: tell which, or make them',
    examples: ['kedge balance --plan', 'kedge balance --apply --max-moves 4', 'kedge balance status', 'kedge balance cancel'],
    notes:
      'Exit code 0: all nodes are near the mean, or no move is worth its cost; 3: it ended before that, with the reason. Ctrl-C lets go of it, it does not cancel it.\n' +
      'What moves guests by itself, and when, is "balance" of kedge.yaml: docs/operating.md.',
  })
    .addOption(new Option('--plan', 'only tell what would move').conflicts('apply'))
    .option('--apply', 'move guests')
    .option('--max-moves <n>', 'at most so many moves, 10 when left out', parseArgument.integer(1))
    .option('--tolerance <percent>', 'enough when the fullest node is so near to the mean, 10 when left out', parseArgument.integer(0, 100))
    .option('--parallel <number>', 'moves at a time, 2 when left out', parseArgument.integer(1))
    .option('--until <instant>', 'begin no move that may end later, e.g. 2026-03-01T02:30:00Z or +2h', parseArgument.instant)
    .option('--detach', 'do not wait for the end')
    .option('--json', 'JSON')
    .action(async (options, command) => {
      if (options.plan !== true && options.apply !== true) {
        throw new KedgeError('bad-input', 'Cannot balance: neither --plan nor --apply is given, must be --plan to see the moves or --apply to make them');
      }
      await withCluster(context, globalOptions(command), async (cluster) => {
        const input: BalanceClusterInput = {
          requestedBy: requestedBy(context.environment),
          options: cluster.migrationDefaults,
          ...(options.maxMoves === undefined ? {} : { maxMoves: options.maxMoves }),
          ...(options.tolerance === undefined ? {} : { tolerance: options.tolerance / 100 }),
          ...(options.parallel === undefined ? {} : { parallel: options.parallel }),
          ...(options.until === undefined ? {} : { until: options.until }),
        };
        const resolved = resolveBalance(input);
        if (options.plan === true) {
          const now = new Date(context.now()).toISOString();
          // The moves first, as the cluster's own look does it.
          const others = travelsOf(await cluster.readMoves());
          const blackouts = await openBlackoutsNow(cluster.blackouts, now);
          const question = { ...resolved, state: newDrain(now), now, blackouts, moveRetryMs: 0, lagMs: 0 };
          printPlan(context, previewBalance(await cluster.takeSnapshot(), others, question), { json: options.json });
          return;
        }
        const ref = await cluster.balance.start(input);
        if (options.detach === true) {
          printData(context, { event: 'started' }, { json: options.json, text: () => 'Balance started. See it: kedge balance status\n' });
          return;
        }
        await followReport<BalanceReport>(context, {
          read: async () => {
            const view = await cluster.balance.read(ref);
            if (view?.failure != null) throw new KedgeError('internal', `Cannot balance the cluster: ${view.failure}`);
            return view;
          },
          fields: {},
          json: options.json === true,
          news: movesNews,
          line: balanceLine,
          end: (report) => ({ text: balanceText(report), exitCode: exitCodeOf(report) }),
          hints: { look: 'kedge balance status', stop: 'kedge balance cancel' },
        });
      });
    })
    .addCommand(balanceStatusCommand(context))
    .addCommand(balanceCancelCommand(context));
}

const exitCodeOf = ({ end }: BalanceReport): number => (end === 'done' || end === 'no-better' ? EXIT_CODES.ok : ERROR_CODES['migration-refused'].exitCode);
