import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fenceNode } from '../../../../src/drivers/fence/fence-node.js';
import { runFenceAgent } from '../../../../src/drivers/fence/run-fence-agent.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kedge-fence-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** A real program of the convention; `$action` and `$seen` (how often it ran) are set, `$input` is what it was given. */
function device(script: string, parameters: Record<string, string> = { ip: '192.0.2.1' }, timeoutSeconds = 5) {
  const agent = join(folder, 'fence_test');
  const text = `#!/bin/bash\ninput=$(cat); printf '%s\\n' "$input" >>${folder}/input; echo "$@" >>${folder}/arguments; action=$(sed -n s/^action=//p <<<"$input"); [ $action = metadata ] && { cat ${folder}/metadata 2>/dev/null; exit 1; }; echo x >>${folder}/$action; seen=$(wc -l <${folder}/$action)\n${script}\n`;
  writeFileSync(agent, text);
  chmodSync(agent, 0o755);
  return { agent, parameters, timeoutSeconds };
}

describe('fencing', () => {
  test('succeeds when the agent switches off and, asked again, says off', async () => {
    expect(await fenceNode(device('[ $action = off ] && exit 0; exit 2'))).toEqual({ off: true });
  });

  test('waits a moment for a device that tells late', async () => {
    expect(await fenceNode(device('[ $action = off ] && exit 0; [ $seen -lt 3 ] && exit 0; exit 2'), 5)).toEqual({ off: true });
  });

  test.each([
    ['[ $action = off ] && { echo "no route" >&2; exit 1; }; exit 2', /could not switch it off: it ended with exit code 1: no route$/],
    ['exit 0', /claims to have switched it off, but asked for the status it still says "on"$/],
    ['[ $action = off ] && exit 0; exit 1', /asked for the status it ended with exit code 1$/],
    ['kill -9 $$', /could not switch it off: it can't be run|exit code/],
  ])('believes nothing else: %s', async (script, reason) => {
    expect(await fenceNode(device(script), 1)).toEqual({ off: false, reason: expect.stringMatching(reason) });
  });

  test('ends an agent that hangs, with all that it started', async () => {
    const hanging = device(`sleep 300 & echo $! >${folder}/child; wait`, {}, 1);
    expect(await fenceNode(hanging)).toEqual({ off: false, reason: expect.stringContaining('it took longer than 1 s') });
    const child = readFileSync(join(folder, 'child'), 'utf8').trim();
    // Gone, or not yet collected by whoever inherits orphans.
    await expect.poll(() => (existsSync(`/proc/${child}`) ? readFileSync(`/proc/${child}/cmdline`, 'utf8') : '')).toBe('');
  });

  test('says that an agent is not there', async () => {
    expect(await fenceNode({ agent: join(folder, 'absent'), parameters: {}, timeoutSeconds: 1 })).toMatchObject({
      off: false,
      reason: expect.stringContaining('ENOENT'),
    });
  });

  test('gives parameters on standard input only, and keeps passwords out of what it tells', async () => {
    const { said } = await runFenceAgent({ action: 'off', device: device('echo "bad login hunter2" >&2; exit 1', { username: 'admin', password: 'hunter2' }) });
    expect(readFileSync(join(folder, 'input'), 'utf8')).toBe('username=admin\npassword=hunter2\naction=off\n');
    expect(readFileSync(join(folder, 'arguments'), 'utf8')).toBe('\n');
    expect(said).toBe('bad login …');
  });

  test('tries once more when "off" fails, as boards do that are busy, or machines that go off late', async () => {
    const late = device('[ $action = off ] && { [ $seen -ge 2 ]; exit; }; exit 2');
    expect(await fenceNode(late, 1)).toEqual({ off: true });
    const never = device('[ $action = off ] && exit 1; exit 2');
    rmSync(join(folder, 'off'));
    expect(await fenceNode(never, 1)).toMatchObject({ off: false });
    expect(readFileSync(join(folder, 'off'), 'utf8')).toBe('x\nx\n');
  });

  test('leaves an agent alone that cuts storage or network off: the node would run on', async () => {
    writeFileSync(join(folder, 'metadata'), '<actions>\n\t<action name="on" on_target="1" automatic="1"/>\n\t<action name="off" />\n</actions>');
    expect(await fenceNode(device('[ $action = off ] && exit 0; exit 2'), 1)).toEqual({
      off: false,
      reason: expect.stringContaining('cuts storage or network off'),
    });
    expect(existsSync(join(folder, 'off'))).toBe(false);
    writeFileSync(join(folder, 'metadata'), '<actions>\n\t<action name="on" automatic="0"/>\n\t<action name="off" />\n</actions>');
    expect(await fenceNode(device('[ $action = off ] && exit 0; exit 2'), 1)).toEqual({ off: true });
  });

  test('asks a program that is no fence_… for nothing but off and status: it may take anything else for off', async () => {
    const own = device('[ $action = off ] && exit 0; exit 2');
    const renamed = join(folder, 'switch');
    renameSync(own.agent, renamed);
    expect(await fenceNode({ ...own, agent: renamed }, 1)).toEqual({ off: true });
    expect(readFileSync(join(folder, 'input'), 'utf8')).not.toContain('metadata');
  });

  test('ends what a hanging agent has put into a session of its own, and one that is deaf to SIGTERM', async () => {
    const hanging = device(`trap '' TERM; setsid -f sh -c 'echo $$ >${folder}/child; exec sleep 300'; sleep 300`, {}, 1);
    expect(await runFenceAgent({ action: 'status', device: hanging })).toMatchObject({ exitCode: null, timedOut: true });
    const child = readFileSync(join(folder, 'child'), 'utf8').trim();
    await expect.poll(() => (existsSync(`/proc/${child}`) ? readFileSync(`/proc/${child}/cmdline`, 'utf8') : '')).toBe('');
  });

  test('ends an agent with the process that runs it', async () => {
    const { agent } = device(`echo $$ >${folder}/agent; sleep 300`);
    const module = new URL('../../../../src/drivers/fence/run-fence-agent.ts', import.meta.url).pathname;
    const bundle = join(folder, 'run.mjs');
    await build({ entryPoints: [module], bundle: true, platform: 'node', format: 'esm', outfile: bundle, logLevel: 'error' });
    const text = `import { runFenceAgent } from '${bundle}'; runFenceAgent(${JSON.stringify({ action: 'off', device: { agent, parameters: {}, timeoutSeconds: 60 } })});`;
    const worker = spawn(process.execPath, ['--input-type=module', '-e', text], { stdio: 'ignore' });
    await expect.poll(() => existsSync(join(folder, 'agent')) && readFileSync(join(folder, 'agent'), 'utf8') !== '', { timeout: 5_000 }).toBe(true);
    worker.kill('SIGKILL');
    const pid = readFileSync(join(folder, 'agent'), 'utf8').trim();
    await expect.poll(() => (existsSync(`/proc/${pid}`) ? readFileSync(`/proc/${pid}/cmdline`, 'utf8') : '')).toBe('');
  });

  test('takes an answer whole: a flood on either output, and the last words of an agent that leaves at once', async () => {
    const flood = device('yes out | head -c 3000000; yes err | head -c 3000000 >&2; echo last words >&2; exit 1');
    expect((await runFenceAgent({ action: 'off', device: flood })).said).toMatch(/last words$/);
  });
});
