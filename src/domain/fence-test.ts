/** A test of the fencing devices: each is asked for the status, none is told to do anything. Plain JSON; what is wrong is judged here. */
import type { NodeName } from './ids.js';

/** One thing that is wrong in fencing.yaml, or with what it names. */
export interface FenceProblem {
  /** `error`: fencing this node would fail, or would hit another one. */
  readonly severity: 'error' | 'warning';
  /** As in the file: `nodes.node2.parameters.ip`. */
  readonly field: string;
  readonly message: string;
  readonly remedy: string;
}

/** What came of asking the device of one node. */
export interface FenceTest {
  readonly node: NodeName;
  readonly agent: string;
  /** Address and plug, as far as its parameters name them. */
  readonly device: string;
  /** `unknown`: it did not tell; `said` has the reason. */
  readonly power: 'on' | 'off' | 'unknown';
  readonly said: string;
  readonly tookMs: number;
  readonly problems: readonly FenceProblem[];
}

export interface FencingReport {
  /** Machine and file: there may be several control workers, each with a file of its own. */
  readonly place: string;
  readonly tests: readonly FenceTest[];
  /** Of the file as a whole. */
  readonly problems: readonly FenceProblem[];
}

/** What was found out about the device of one node. */
export interface DeviceLook extends Pick<FenceTest, 'power' | 'said' | 'tookMs'> {
  /** What is wrong with the program itself; null: nothing. */
  readonly program: Pick<FenceProblem, 'severity' | 'message' | 'remedy'> | null;
  /** What it says of itself; null: nothing, as agents of one's own may. */
  readonly facts: { readonly parameters: readonly string[]; readonly actions: readonly string[]; readonly isFabric: boolean } | null;
}

export interface DeviceQuestion {
  readonly node: NodeName;
  readonly device: { readonly agent: string; readonly timeoutSeconds: number; readonly parameters: Readonly<Record<string, string>> };
  readonly look: DeviceLook;
  /** Do its heartbeats come? Null: it has never registered. */
  readonly isHeard: boolean | null;
  /** Other nodes for which the same device and plug is named. */
  readonly twins: readonly string[];
}

/** "off" looks, switches, waits, and looks again: so many times as long as one look, with the agents of Debian. */
const LOOKS_OF_OFF = 4;

/** All that is wrong with the device of a node. */
export function judgeDevice({ node, device, look, isHeard, twins }: DeviceQuestion): readonly FenceProblem[] {
  const { agent, timeoutSeconds, parameters } = device;
  const { program, facts, power, said, tookMs } = look;
  const at = `nodes.${node}`;
  const problems: FenceProblem[] = [];
  const error = (field: string, message: string, remedy: string): void => void problems.push({ severity: 'error', field, message, remedy });
  const warn = (field: string, message: string, remedy: string): void => void problems.push({ severity: 'warning', field, message, remedy });

  if (program !== null) problems.push({ field: `${at}.agent`, ...program });
  if (facts?.isFabric === true) {
    error(`${at}.agent`, `${agent} cuts storage or network off, not power: guests would run on, so Kedge does not use it`, 'Name an agent that switches power');
  }
  for (const action of ['off', 'status']) {
    if (facts !== null && !facts.actions.includes(action)) {
      error(`${at}.agent`, `${agent} has no action "${action}": nothing would tell that the power is off`, 'Name an agent that has both "off" and "status"');
    }
  }
  for (const [name, value] of Object.entries(parameters)) {
    const field = `${at}.parameters.${name}`;
    if (facts !== null && !facts.parameters.includes(name.replaceAll('-', '_'))) {
      error(field, `${agent} does not know this parameter, and leaves it out`, `Correct its name; "${agent} -o metadata" lists those that it knows`);
    }
    if (value !== value.trimEnd()) {
      warn(
        field,
        'ends with a blank, which agents take off',
        `Put the value in double quotes inside of single ones, as in '"value "': agents take those quotes off`,
      );
    } else if (/^".*"$/.test(value)) {
      warn(field, 'is in double quotes, which agents take off', 'Nothing, if the quotes are there to keep a blank; else put another pair around them');
    }
    if (/^(verbose|verbose_level|debug|debug_file)$/.test(name.replaceAll('-', '_')) && !/^(0|no|off|false)$/i.test(value)) {
      warn(
        field,
        'has agents write what they send to their devices, passwords too, into the log of the machine or a file',
        'Take it out when you are done with it',
      );
    }
  }
  // Agents wait for a second more than they are told.
  const delaySeconds = Number(parameters['delay'] ?? 0);
  if (delaySeconds > 0 && delaySeconds + 1 >= timeoutSeconds) {
    error(
      `${at}.parameters.delay`,
      `is no shorter than timeoutSeconds (${timeoutSeconds}): "off" would be ended while it waits`,
      'Shorten it, or allow more seconds',
    );
  }
  if (twins.length > 0) {
    error(`${at}.parameters`, `are those of ${twins.join(', ')} too: another node's power would be cut`, 'Give each node its own address or plug');
  }
  if (power === 'unknown') {
    if (program?.severity !== 'error')
      error(at, `its device does not tell whether it is on: ${said}`, `Correct the named parameter, or the device; "timeoutSeconds" is ${timeoutSeconds}`);
  } else if (power === 'off' && isHeard === true) {
    error(
      at,
      `its device says "off", and ${node} is heard: it may be the device, or the plug, of another machine`,
      'Find out which machine this device switches, before it is needed',
    );
  }
  if (power !== 'unknown' && tookMs * LOOKS_OF_OFF > timeoutSeconds * 1_000) {
    const seconds = Math.ceil((tookMs * LOOKS_OF_OFF) / 1_000);
    warn(
      `${at}.timeoutSeconds`,
      `is ${timeoutSeconds}, and "off" may take ${seconds} s: four times as long as this look`,
      `Allow ${seconds * 2} s, or make it faster (fence_ipmilan: cipher)`,
    );
  }
  return problems;
}

/** What the file does not say, or says of nodes that are none. */
export function judgeFile({ nodes, configured }: { readonly nodes: readonly NodeName[]; readonly configured: readonly string[] }): readonly FenceProblem[] {
  const strangers = configured.filter((name) => !nodes.some((node) => node === name));
  const bare = nodes.filter((node) => !configured.includes(node));
  return [
    ...strangers.map((name) => ({
      severity: 'error' as const,
      field: `nodes.${name}`,
      message: 'the cluster has no node of this name',
      remedy: `Name one of ${nodes.join(', ')}`,
    })),
    ...bare.map((node) => ({
      severity: 'warning' as const,
      field: 'nodes',
      message: `${node} has no device: when it is lost, an operator is asked`,
      remedy: `Add nodes.${node}`,
    })),
  ];
}

/** Is anything wrong that would keep a node from being fenced? */
export function isFit({ tests, problems }: FencingReport): boolean {
  return [...problems, ...tests.flatMap((test) => test.problems)].every(({ severity }) => severity !== 'error');
}

/** Address and plug of a device, for people. */
export function deviceName(parameters: Readonly<Record<string, string>>): string {
  const address = parameters['ip'] ?? parameters['ipaddr'];
  const plug = parameters['plug'] ?? parameters['port'];
  return [address, plug].filter((part) => part !== undefined).join(' plug ') || '-';
}
