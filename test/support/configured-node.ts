import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createNodeContext } from '../../worker/node/create-node-context.js';
import type { NodeContext } from '../../worker/node/node-context.js';

/** A node's context over config files in a folder of its own; `files`: more of them below its /etc/kedge, by name. Nothing runs. */
export async function configuredNode(files: Readonly<Record<string, string>>): Promise<{ node: NodeContext; remove: () => void }> {
  const root = mkdtempSync(join(tmpdir(), 'kedge-configured-'));
  const paths = { etc: join(root, 'etc'), state: join(root, 'state'), run: join(root, 'run') };
  mkdirSync(join(paths.etc, 'qemu-server'), { recursive: true });
  const all = { 'kedge.yaml': 'cluster: test\nnodes: {}\n', 'node.yaml': 'name: node1\n', ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(paths.etc, name), text);
  return {
    node: await createNodeContext(paths),
    remove: () => {
      rmSync(root, { recursive: true });
    },
  };
}
