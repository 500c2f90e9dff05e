/** What an agent wrote, fit for stories and logs: short, on one line, and without what it repeats of its secrets. */
import type { FenceDevice } from '../../schema/fencing-config.js';

const SAID_AT_MOST = 400;
const HIDDEN = '…';
const SECRET_NAME = /pass|pwd|secret|token|key|community|credential|auth/i;
/** Parameters that may be told. An agent repeats a parameter that it does not know as it is, so a misspelt "pasword" must not be one of them. */
const PLAIN_NAME =
  /^(ip|ipaddr|ipport|port|plug|nodename|username|login|action|method|delay|type|privlvl|cipher|lanplus|target|snmp_version)$|(_file|_path|_timeout|_wait|_uri)$/i;
/** So short a value of an unknown parameter is a switch or a number; hiding it would leave nothing of the text. */
const SHORT = 4;
const SWITCH = /^(true|false)$/i;
/** "2026-01-31 12:00:00,123 ERROR: " and "ERROR:root:", both of Python's logging: the same line may come as either. */
const LOG_PREFIX = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ )?(DEBUG|INFO|WARNING|ERROR|CRITICAL):(root:)?\s*/;
const SAYS_NOTHING = /^(Please use '-h' for usage)?$/;

/** `wasCut`: the begin of `text` is missing, and may be the end of a secret. */
export function wordsOfAgent(text: string, { parameters, wasCut }: { readonly parameters: FenceDevice['parameters']; readonly wasCut: boolean }): string {
  const secrets = secretsOf(parameters);
  const longest = secrets[0]?.length ?? 0;
  const told = secrets.reduce((rest, secret) => rest.replaceAll(secret, HIDDEN), wasCut ? text.slice(longest) : text);
  const lines = told.split(/[\r\n]+/).map((line) =>
    line
      .replace(LOG_PREFIX, '')
      .replace(/\p{Cc}+/gu, ' ')
      .trim(),
  );
  return [...new Set(lines.filter((line) => !SAYS_NOTHING.test(line)))].join('; ').slice(-SAID_AT_MOST);
}

/** In all forms in which programs tell them, the longest first: one may be a part of another. */
function secretsOf(parameters: FenceDevice['parameters']): readonly string[] {
  const values = Object.entries(parameters).flatMap(([name, value]) => (isSecret(name, value) ? [value] : []));
  const names = ['username', 'login'].flatMap((name) => parameters[name] ?? []);
  const forms = values.flatMap((value) => [
    value,
    value.trim(),
    encodeURIComponent(value),
    ...names.map((name) => Buffer.from(`${name}:${value}`).toString('base64')),
  ]);
  return [...new Set(forms)].filter((form) => form !== '').sort((one, other) => other.length - one.length);
}

function isSecret(name: string, value: string): boolean {
  if (PLAIN_NAME.test(name)) return false;
  return SECRET_NAME.test(name) || (value.length >= SHORT && !SWITCH.test(value));
}
