import { InvalidArgumentError, type CommandUnknownOpts } from '@commander-js/extra-typings';
import {
  isLimit,
  limitRule,
  LIMIT_NAMES,
  OWN_LIMITS,
  type LimitedKind,
  type LimitName,
  type LimitSettings,
  type OwnLimits,
} from '../../../domain/admission-limits.js';
import { NAMES_OF } from '../../../domain/read-limit-change.js';
import { badInput } from '../../../domain/read-input.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { limitsText } from '../../render/admission-text.js';
import { printData } from '../../render/print-data.js';
import { requestedBy } from '../../requested-by.js';
import { withCluster } from '../../with-cluster.js';
import { admissionView } from './admission-view.js';

/** Which options name the one that a limit is for. */
const NAMING = { node: 'nodes', network: 'networks', storage: 'storages' } as const satisfies Record<string, LimitedKind>;
type Amount = number | 'none';
const NAMING_OPTIONS = ['node', 'network', 'storage'] as const;

/** Which numbers a limit may have is known only with the other options. */
function amount(text: string): Amount {
  if (text === 'none') return text;
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError(`Current value is "${text}", must be a whole number, or none.`);
  return Number(text);
}

/** `kedge admission set`. */
export function admissionSetCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('set', {
    description: 'Change limits live, over those of kedge.yaml, until "kedge admission reset"; moves that run go on',
    examples: [
      'kedge admission set --cluster 16 --per-node 4',
      'kedge admission set --node node3 --in 0',
      'kedge admission set --network default --bandwidth 500000000',
    ],
    notes: 'Without --node, --network or --storage a limit is for each that has none of its own. What is not named stays. 0: none may begin.',
  })
    .option('--cluster <n>', 'moves at a time', amount)
    .option('--per-node <n>', 'moves at a time that touch a node', amount)
    .option('--in <n|none>', 'of these, moves into it', amount)
    .option('--out <n|none>', 'of these, moves out of it', amount)
    .option('--per-network <n|none>', 'moves at a time whose copy a network carries', amount)
    .option('--bandwidth <bytes/s|none>', 'of a network, for all moves together: each gets an equal share', amount)
    .option('--per-storage <n|none>', 'moves at a time that write to a storage, or whose disks stay on it', amount)
    .option('--node <node>', 'for this node only')
    .option('--network <CIDR|default>', "for this network only; default: of the nodes' migrationAddress")
    .option('--storage <storage>', 'for this storage only')
    .option('--json', 'JSON')
    .action(async ({ json, node, network, storage, ...limits }, command) => {
      const settings = settingsOf(limits, { node, network, storage });
      const setBy = requestedBy(context.environment);
      const state = await withCluster(context, globalOptions(command), async (cluster) => {
        if (node !== undefined && !cluster.nodes.some((known) => known === node)) throw badInput('--node', node, `one of ${cluster.nodes.join(', ')}`);
        await cluster.admission.set({ settings, setBy });
        return cluster.admission.show();
      });
      printData(context, admissionView(state).limits, { json, text: limitsText });
    });
}

/** @throws KedgeError `bad-input` that names the option */
function settingsOf(
  limits: { readonly [Limit in LimitName]?: Amount | undefined },
  naming: { readonly [Option in (typeof NAMING_OPTIONS)[number]]?: string | undefined },
): LimitSettings {
  const [named, second] = NAMING_OPTIONS.flatMap((option) => {
    const name = naming[option];
    return name === undefined ? [] : [{ option, kind: NAMING[option], name }];
  });
  if (second !== undefined) throw badInput(`--${second.option}`, second.name, `absent with --${named?.option ?? ''}: change one after the other`);
  if (named !== undefined && !NAMES_OF[named.kind].isName(named.name)) throw badInput(`--${named.option}`, named.name, NAMES_OF[named.kind].must);
  const own = ownLimits(limits, named);
  if (Object.keys(own).length === 0) throw badInput('the limits', undefined, `at least one of ${namesFor(named).map(optionOf).join(', ')}`);
  return named === undefined ? own : { [named.kind]: { [named.name]: own } };
}

function ownLimits(
  limits: { readonly [Limit in LimitName]?: Amount | undefined },
  named: { readonly option: string; readonly kind: LimitedKind } | undefined,
): OwnLimits {
  const own = named !== undefined;
  return Object.fromEntries(
    LIMIT_NAMES.flatMap((limit): [LimitName, number | null][] => {
      const given = limits[limit];
      if (given === undefined) return [];
      const value = given === 'none' ? null : given;
      if (!namesFor(named).includes(limit)) throw badInput(optionOf(limit), given, `absent with --${named?.option ?? ''}`);
      if (!isLimit(value, limit, { own })) throw badInput(optionOf(limit), given, limitRule(limit, { own }).must);
      return [[limit, value]];
    }),
  );
}

function namesFor(named: { readonly kind: LimitedKind } | undefined): readonly LimitName[] {
  return named === undefined ? LIMIT_NAMES : OWN_LIMITS[named.kind];
}

/** The limits are called as the options are, in camel case. */
function optionOf(limit: LimitName): string {
  return `--${limit.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}
