import { readFile } from 'node:fs/promises';
import { text as readAll } from 'node:stream/consumers';
import { Option, type CommandUnknownOpts } from '@commander-js/extra-typings';
import { KedgeError } from '../../../domain/kedge-error.js';
import type { CliContext } from '../../cli-context.js';
import { globalOptions, newCommand } from '../../new-command.js';
import { parseArgument } from '../../parse-arguments.js';
import { printData } from '../../render/print-data.js';
import { withCluster } from '../../with-cluster.js';

/** `kedge guest create <vmid> --node …`: a config in PVE's grammar, from a file or key by key. */
export function guestCreateCommand(context: CliContext): CommandUnknownOpts {
  return newCommand('create', {
    description: 'Create a guest on a node out of a config in the grammar of Proxmox VE',
    examples: [
      'kedge guest create 101 --node node1 --from web.conf',
      'kedge guest create 102 --node node1 --kind lxc --from web-ct.conf',
      'kedge guest create 101 --node node1 --set name=web --set memory=512 --set scsi0=shared:101/vm-101-disk-0.raw,size=1G --set net0=virtio,bridge=vmbr0',
    ],
    notes: 'The guest is created off; start it with "kedge guest start".',
  })
    .argument('<vmid>', 'its number, 100 to 999999999, unique in the cluster', parseArgument.vmid)
    .requiredOption('--node <node>', 'the node that shall own it', parseArgument.node)
    .addOption(new Option('--kind <kind>', 'what the config describes: a VM or a container').choices(['qemu', 'lxc'] as const).default('qemu' as const))
    .option('--from <file>', 'config file; - for standard input')
    .option('--set <key=value>', 'one line of the config; may be repeated, wins over --from', collectSettings, [])
    .option('--json', 'JSON')
    .action(async (vmid, options, command) => {
      const config = mergeConfig(options.from === undefined ? '' : await readConfig(options.from), options.set);
      if (config === '') {
        throw new KedgeError('bad-input', `Cannot create guest ${String(vmid)}: it has no config`, {
          details: { remedy: 'Name a file with --from, or keys with --set' },
        });
      }
      const answer = await withCluster(context, globalOptions(command), (cluster) =>
        cluster.manageGuest({ node: options.node, command: { verb: 'create', vmid, kind: options.kind, config } }),
      );
      printData(context, answer, {
        json: options.json,
        text: () => `Guest ${String(vmid)} is created on ${options.node}. Start it: kedge guest start ${String(vmid)}\n`,
      });
    });
}

type Setting = readonly [key: string, value: string];

function collectSettings(text: string, before: readonly Setting[]): readonly Setting[] {
  const at = text.indexOf('=');
  if (!/^[a-z][a-z0-9_-]*$/i.test(text.slice(0, at === -1 ? 0 : at))) {
    throw new KedgeError('bad-input', `Cannot read --set: current value is "${text}", must be key=value like memory=512`, {
      details: { field: '--set', value: text },
    });
  }
  return [...before, [text.slice(0, at), text.slice(at + 1)]];
}

async function readConfig(file: string): Promise<string> {
  if (file === '-') return readAll(process.stdin);
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw new KedgeError('bad-input', `Cannot read --from: current value is "${file}"`, {
      cause,
      details: { field: '--from', value: file, remedy: 'Name a file that exists and can be read' },
    });
  });
}

/** Lines of the file, without those that a setting replaces. */
function mergeConfig(text: string, settings: readonly Setting[]): string {
  const replaced = new Set(settings.map(([key]) => key));
  const kept = text.split('\n').filter((line) => line.trim() !== '' && !replaced.has(line.slice(0, line.indexOf(':'))));
  const lines = [...kept, ...settings.map(([key, value]) => `${key}: ${value}`)];
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}
