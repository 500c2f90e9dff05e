import { describe, expect, it } from 'vitest';
import { parseYaml } from '../../../src/config/load-yaml.js';
import { clusterConfigSchema } from '../../../src/schema/cluster-config.js';

const read = (hooks: string) => parseYaml(`cluster: c\nnodes: {}\nhooks: ${hooks}\n`, { file: 'kedge.yaml', schema: clusterConfigSchema }).hooks;
const MAIL = 'type: mail, host: mail.example.org, from: kedge@example.org, to: [ops@example.org]';

describe('hooks of kedge.yaml', () => {
  it('are none by default', () => {
    expect(parseYaml('cluster: c\nnodes: {}\n', { file: 'kedge.yaml', schema: clusterConfigSchema }).hooks).toEqual({});
  });

  it('are told of all but notes, and have ten seconds, unless they say otherwise', () => {
    expect(read('{ pager: { type: webhook, url: "https://example.org/x", secretFile: /etc/kedge/pager } }')).toEqual({
      pager: {
        type: 'webhook',
        url: 'https://example.org/x',
        secretFile: '/etc/kedge/pager',
        events: ['start', 'end', 'failure', 'needs-operator'],
        timeoutSeconds: 10,
      },
    });
    expect(read(`{ ops: { ${MAIL}, events: [failure] } }`)).toMatchObject({ ops: { tls: 'tls', events: ['failure'] } });
  });

  it.each([
    ['{ Pager: {} }', 'must be lower-case letters'],
    ['{ pager: { type: pigeon } }', 'hooks.pager.type'],
    ['{ pager: { type: webhook, url: "ftp://h/", secretFile: /s } }', 'must be a URL of http or https'],
    ['{ pager: { type: webhook, url: "https://user:word@h/", secretFile: /s } }', 'without user, password'],
    ['{ pager: { type: webhook, url: "https://h/", secretFile: s } }', 'must be the absolute path'],
    ['{ pager: { type: webhook, url: "https://h/", secretFile: /s, secret: x } }', 'is not a known key'],
    ['{ pager: { type: webhook, url: "https://h/", secretFile: /s, events: [hook] } }', 'hooks.pager.events.0'],
    ['{ pager: { type: webhook, url: "https://h/", secretFile: /s, timeoutSeconds: 61 } }', 'hooks.pager.timeoutSeconds'],
    [`{ ops: { ${MAIL}, user: kedge } }`, 'must have a passwordFile'],
    [`{ ops: { ${MAIL}, passwordFile: /p } }`, 'must have a user'],
    [`{ ops: { ${MAIL}, user: kedge, passwordFile: /p, tls: none } }`, 'must not be sent in the clear'],
    ['{ ops: { type: mail, host: h, from: "a@b\\nBcc: c@d", to: [a@b] } }', 'must be a plain mail address'],
    ['{ ops: { type: mail, host: h, from: a@b, to: [] } }', 'hooks.ops.to'],
  ])('are refused with field and reason: %s', (text, reason) => {
    expect(() => read(text)).toThrow(reason);
  });
});
