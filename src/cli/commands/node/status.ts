import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { EvacuationView } from '../../../client/evacuation.js';
import type { NodeStatus } from '../../../domain/node-facts.js';
import type { CliContext } from '../../cli-context.js';
import { findNode } from '../../find-node.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { evacuationEnd, evacuationLine } from '../../render/evacuation-text.js';
import { nodeState } from '../../render/node-state.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge node status <node>`: is it cordoned, is it drained, and who is away. */
export function nodeStatusCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('status', {
    description: 'Show whether a node takes guests, its drain, and which guests are away from it',
    examples: ['kedge node status node2', 'kedge node status node2 --json'],
  })
    .argument('<node>', 'the node', parseArgument.node)
    .option('--json', 'JSON')
    .action(async (node, options, command) => {
      const { status, drain } = await withCluster(context, globalOptions(command), async (cluster) => ({
        status: await findNode(cluster, node),
        drain: await cluster.readEvacuation(node),
      }));
      const { cordoned, silentSince, away = [] } = status;
      const data = { node, cordoned, silentSince, away, drain: drain === null ? null : { running: drain.running, report: drain.report } };
      printData(context, data, { json: options.json, text: () => textOf(status, drain, context.now()) });
    });
}

function textOf(status: NodeStatus, drain: EvacuationView | null, nowMs: number): string {
  const away = (status.away ?? []).map(({ vmid, at }) => `${vmid} since ${at}`);
  return [
    `Node ${status.node}: ${nodeState(status, nowMs)}`,
    `  guests  ${status.cordoned ? 'new ones are not taken' : 'new ones are taken'}`,
    `  away    ${away.join(', ') || 'none'}`,
    ...drainLines(drain).map((line, at) => `${at === 0 ? '  drain   ' : '          '}${line}`),
    '',
  ].join('\n');
}

function drainLines(drain: EvacuationView | null): readonly string[] {
  if (drain === null) return ['none'];
  const { report, running } = drain;
  if (report === null) return [running ? 'runs; no control worker answers how far it is' : 'has ended'];
  return running ? [evacuationLine(report), ...report.stayed.map(({ vmid, reason }) => `guest ${vmid}: ${reason}`)] : evacuationEnd(report).split('\n');
}
