import { assertNever } from '../domain/assert-never.js';
import type { WindowDefinition, WindowWork } from '../domain/window/window.js';
import type { WindowFile } from './window-file.js';

/** The window as people write it, for the schedule to keep and for an edit to start from. */
export function windowFileOf(window: WindowDefinition): WindowFile {
  const { work, healthCheck } = window;
  return {
    name: window.name,
    zone: window.zone,
    start: window.start,
    ...(window.rule === null ? {} : { rule: window.rule }),
    duration: `${window.durationMs}ms`,
    nodes: window.nodes === null ? 'all' : [...window.nodes],
    atOnce: window.atOnce,
    ...workFile(work),
    ...(healthCheck === null ? {} : { check: healthCheck.command, checkTimeout: `${healthCheck.timeoutMs}ms` }),
    force: window.force,
    ...(window.parallel === null ? {} : { parallel: window.parallel }),
    restore: window.restore,
    missed: `${window.lateMs}ms`,
    onFailure: window.onFailure,
  };
}

function workFile(work: WindowWork): Pick<WindowFile, 'command' | 'reboot' | 'human' | 'timeout' | 'repeatable'> {
  switch (work.kind) {
    case 'command':
      return { command: work.command, timeout: `${work.timeoutMs}ms`, repeatable: work.repeatable };
    case 'reboot':
      return { reboot: work.command, timeout: `${work.timeoutMs}ms` };
    case 'human':
      return { human: work.note };
    default:
      return assertNever(work);
  }
}
