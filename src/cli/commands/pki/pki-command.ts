import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../cli-context.js';
import { newGroup } from '../../new-command.js';
import { pkiInitCommand } from './pki-init.js';
import { pkiIssueCommand } from './pki-issue.js';
import { pkiShowCommand } from './pki-show.js';

/** `kedge pki …`: the certificates with which the nodes of a cluster know each other. */
export function pkiCommand(context: CliContext): CommandUnknownOpts {
  return newGroup('pki', {
    description: 'Make and show the certificates with which the nodes know each other',
    commands: [pkiInitCommand(context), pkiIssueCommand(context), pkiShowCommand(context)],
  });
}
