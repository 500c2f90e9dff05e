import { describe, expect, test } from 'vitest';
import type { CommandUnknownOpts } from '@commander-js/extra-typings';
import type { CliContext } from '../../../src/cli/cli-context.js';
import { COMMAND_TABLE } from '../../../src/cli/command-table.js';
import { buildProgram } from '../../../src/cli/program.js';
import { runFake } from './fake-cluster.js';

const context: CliContext = {
  out: () => undefined,
  err: () => undefined,
  terminal: { out: false, err: false, columns: 100 },
  environment: {},
  now: () => 0,
  openCluster: () => Promise.reject(new Error('not in this test')),
  onInterrupt: () => () => undefined,
  setExitCode: () => undefined,
};

function leaves(command: CommandUnknownOpts, path: string): readonly (readonly [string, CommandUnknownOpts])[] {
  return command.commands.length === 0 ? [[path, command]] : command.commands.flatMap((child) => leaves(child, `${path} ${child.name()}`));
}

describe('the command tree', () => {
  test('describes each command in the table as the loaded command does', async () => {
    for (const row of COMMAND_TABLE) expect((await row.load(context)).description()).toBe(row.description);
  });

  test('has a help with an example for every command', async () => {
    const program = await buildProgram(context, { loaded: 'all', writeErr: () => undefined });
    for (const [path, command] of leaves(program, 'kedge')) {
      let help = '';
      command.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
      expect(help, path).toContain('Example');
    }
  });

  test('has a help with an example for every group of commands', async () => {
    const program = await buildProgram(context, { loaded: 'all', writeErr: () => undefined });
    for (const group of program.commands.filter(({ commands }) => commands.length > 0)) {
      let help = '';
      group.configureOutput({ writeOut: (text) => void (help += text) }).outputHelp();
      expect(help, group.name()).toMatch(/Examples?:\n {2}\$ kedge /);
    }
  });

  test('answers help with 0 and shows it on stdout', async () => {
    const result = await runFake(['guest', 'list', '--help']);
    expect(result).toMatchObject({ exitCode: 0, err: '' });
    expect(result.out).toContain('kedge guest list --node node1');
  });

  test('suggests what was meant by an unknown command and exits with 2', async () => {
    for (const argv of [
      ['migrat', '101'],
      ['guest', 'lits'],
    ]) {
      const result = await runFake(argv);
      expect(result.exitCode).toBe(2);
      expect(result.err).toMatch(/Did you mean (?:one of )?(?:migrat|list)/);
    }
  });

  test('reports an error that is not its own as a defect', async () => {
    const result = await runFake(['guest', 'list'], { cluster: { listNodes: () => Promise.reject(new TypeError('x is undefined')) } });
    expect(result.exitCode).toBe(1);
    expect(result.err).toContain('x is undefined [internal]');
    expect(result.err).toContain('defect of Kedge');
  });

  test('hands --config to the connection wherever it stands', async () => {
    const seen: unknown[] = [];
    for (const argv of [
      ['--config', 'a.yaml', 'guest', 'list'],
      ['guest', 'list', '--config', 'a.yaml'],
    ]) {
      const program = await buildProgram(
        { ...context, openCluster: (options) => (seen.push(options), Promise.reject(new Error('seen'))) },
        { loaded: 'all', writeErr: () => undefined },
      );
      await program.parseAsync(argv, { from: 'user' }).catch(() => undefined);
    }
    expect(seen).toEqual([{ config: 'a.yaml' }, { config: 'a.yaml' }]);
  });
});
