import { stat } from 'node:fs/promises';
import type { DeviceLook } from '../../domain/fence-test.js';
import type { FenceDevice } from '../../schema/fencing-config.js';
import { askAgentFacts } from './agent-facts.js';
import { endOfAgent, STATUS_OFF, STATUS_ON } from './fence-node.js';
import { runFenceAgent } from './run-fence-agent.js';

const EXECUTABLE = 0o111;
const WRITABLE_BY_OTHERS = 0o022;

/** Asks the device of a node for its status, just as fencing would, and its agent for what it knows. Changes nothing. */
export async function lookAtDevice(device: FenceDevice): Promise<DeviceLook> {
  const program = await troubleOf(device.agent);
  if (program?.severity === 'error') return { program, facts: null, power: 'unknown', said: program.message, tookMs: 0 };
  const facts = await askAgentFacts(device);
  const begunAt = performance.now();
  const answer = await runFenceAgent({ action: 'status', device });
  const tookMs = Math.round(performance.now() - begunAt);
  const power = answer.exitCode === STATUS_ON ? 'on' : answer.exitCode === STATUS_OFF ? 'off' : 'unknown';
  return {
    program,
    facts: facts === null ? null : { ...facts, parameters: [...facts.parameters], actions: [...facts.actions] },
    power,
    said: power === 'unknown' ? endOfAgent(answer, device) : answer.said,
    tookMs,
  };
}

async function troubleOf(agent: string): Promise<DeviceLook['program']> {
  const error = (message: string, remedy: string) => ({ severity: 'error' as const, message, remedy });
  try {
    const found = await stat(agent);
    if (!found.isFile()) return error(`${agent} is no file`, 'Name the program itself');
    if ((found.mode & EXECUTABLE) === 0) return error(`${agent} is not executable`, `Run: chmod 755 ${agent}`);
    if (found.uid !== 0 || (found.mode & WRITABLE_BY_OTHERS) !== 0) {
      return { severity: 'warning', message: `others than root may change ${agent}, which root runs`, remedy: `Run: chown root ${agent}; chmod 755 ${agent}` };
    }
    return null;
  } catch (cause) {
    const code = cause instanceof Error && 'code' in cause ? cause.code : null;
    if (code === 'ENOENT') return error(`${agent} is not there`, 'Run: apt-get install fence-agents, or correct the path');
    return error(`${agent} can't be looked at: ${cause instanceof Error ? cause.message : String(cause)}`, 'Correct the path');
  }
}
