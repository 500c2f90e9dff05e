import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import { asNow } from '../../../domain/balance/load-memory.js';
import { DEFAULT_BALANCE_LIMITS, planBalance } from '../../../domain/plan/plan-balance.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printPlan } from '../../render/print-plan.js';
import { readSnapshot, withPlanOptions } from './plan-options.js';

/** `kedge plan balance`: which live moves would even out how full nodes are. */
export function planBalanceCommand(context: CliContext): CommandUnknownOpts {
  const command = newCommand('balance', {
    description: 'Plan to even out how full nodes are, by live moves only',
    examples: ['kedge plan balance --snapshot cluster.json', 'kedge plan balance --max-moves 3 --tolerance 20 --snapshot cluster.json'],
  });
  return withPlanOptions(command)
    .option('--max-moves <n>', 'at most so many moves', parseArgument.integer(1), DEFAULT_BALANCE_LIMITS.maxMoves)
    .option(
      '--tolerance <percent>',
      'do nothing while the fullest node is so near to the mean',
      parseArgument.integer(0),
      DEFAULT_BALANCE_LIMITS.tolerance * 100,
    )
    .action(async (options, command) => {
      const limits = { ...DEFAULT_BALANCE_LIMITS, maxMoves: options.maxMoves, tolerance: options.tolerance / 100 };
      printPlan(context, planBalance(asNow(await readSnapshot(context, { ...globalOptions(command), snapshot: options.snapshot })), limits), {
        json: options.json,
      });
    });
}
