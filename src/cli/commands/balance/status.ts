import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { BalanceView } from '../../../domain/balance/balance.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { balancerText, balanceText } from '../../render/balance-text.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge balance status`: the balance that runs, or ran last, and where the balancer stands. */
export function balanceStatusCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('status', {
    description: 'Show the balance that runs, or ran last, and what the balancer thinks',
    examples: ['kedge balance status', 'kedge balance status --json'],
  })
    .option('--json', 'JSON')
    .action(async (_, command) => {
      const data = await withCluster(context, globalOptions(command), async ({ balance }) => ({
        balance: await balance.read(),
        balancer: await balance.readBalancer(),
      }));
      printData(context, data, { json: isJson(command), text: ({ balance, balancer }) => `${viewText(balance)}\n${balancerText(balancer)}\n` });
    });
}

/** The option of the command above has the same name, and takes it wherever it stands. */
const isJson = (command: CommandUnknownOpts): true | undefined => (command.optsWithGlobals()['json'] === true ? true : undefined);

function viewText(view: BalanceView | null): string {
  if (view === null) return 'Balance: none is known';
  if (view.failure !== null) return `Balance failed: ${view.failure}`;
  return view.report === null ? 'Balance: it runs, no control worker tells how far it is' : balanceText(view.report);
}

/** `kedge balance cancel`: no move begins any more. */
export function balanceCancelCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('cancel', {
    description: 'Begin no more moves; those under way go on to their end',
    examples: ['kedge balance cancel'],
  })
    .option('--json', 'JSON')
    .action(async (_, command) => {
      await withCluster(context, globalOptions(command), ({ balance }) => balance.cancel());
      printData(context, { cancelled: true }, { json: isJson(command), text: () => 'No more moves begin; see "kedge balance status"\n' });
    });
}
