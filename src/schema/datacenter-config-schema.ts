/** Keys of datacenter.cfg as PVE 9 knows them. */
import { bandwidthLimitsType } from './bandwidth-limits.js';
import { cidr } from './value-formats.js';
import { boolean, freeText, integer, number, properties, text, word, type KeyTable } from './value-type.js';

const TAG = '[a-zA-Z0-9_][a-zA-Z0-9_+.-]*';
const COLOURED_TAG = `${TAG}:[0-9a-fA-F]{6}(?::[0-9a-fA-F]{6})?`;
const tags = text(new RegExp(`^${TAG}(?:;${TAG})*$`), 'tags like prod;web');
const transport = properties({ type: word('secure insecure'), network: cidr }, { defaultKey: 'type', required: ['type'] });
const percent = number(0, 100);
const sent = word('always never');

export const DATACENTER_KEYS: KeyTable = {
  numbered: {},
  single: {
    migration: transport,
    replication: transport,
    migration_unsecure: boolean,
    bwlimit: bandwidthLimitsType,
    max_workers: integer(1),
    mac_prefix: text(/^[a-f0-9][02468ace](?::[a-f0-9]{2}){0,2}:?$/i, 'the begin of a unicast MAC address like BC:24:11'),
    console: word('applet vv html5 xtermjs'),
    keyboard: word('da de de-ch en-gb en-us es fi fr fr-be fr-ca fr-ch hu is it ja lt mk nl no pl pt pt-br sl sv tr'),
    language: text(/^[a-z]{2}(?:_[A-Z]{2})?$/, 'a language like en or pt_BR'),
    http_proxy: text(/^http:\/\/.*$/, 'like http://proxy:3128'),
    email_from: freeText,
    description: freeText,
    fencing: word('watchdog hardware both'),
    ha: properties({ shutdown_policy: word('freeze failover conditional migrate') }, { required: ['shutdown_policy'] }),
    crs: properties({
      ha: word('basic static dynamic'),
      'ha-rebalance-on-start': boolean,
      'ha-auto-rebalance': boolean,
      'ha-auto-rebalance-threshold': percent,
      'ha-auto-rebalance-method': word('bruteforce topsis'),
      'ha-auto-rebalance-hold-duration': number(),
      'ha-auto-rebalance-margin': percent,
    }),
    'next-id': properties(
      { lower: integer(100, 999_999_999), upper: integer(100, 1_000_000_000) },
      {
        rule(found) {
          const [lower, upper] = [Number(found.get('lower') ?? 100), Number(found.get('upper') ?? 1_000_000)];
          return lower > upper ? { option: 'lower', problem: `lower is ${String(lower)}, must not be above upper, ${String(upper)}` } : undefined;
        },
      },
    ),
    notify: properties({
      'package-updates': word('auto always never'),
      'target-package-updates': freeText,
      fencing: sent,
      'target-fencing': freeText,
      replication: sent,
      'target-replication': freeText,
    }),
    u2f: properties({ appid: freeText, origin: freeText }),
    webauthn: properties({ rp: freeText, origin: freeText, id: freeText, 'allow-subdomains': boolean }),
    'tag-style': properties({
      shape: word('full circle dense none'),
      'color-map': text(new RegExp(`^${COLOURED_TAG}(?:;${COLOURED_TAG})*$`), 'like prod:ff0000:ffffff;web:00ff00'),
      ordering: word('config alphabetical'),
      'case-sensitive': boolean,
    }),
    'user-tag-access': properties({ 'user-allow': word('none list existing free'), 'user-allow-list': tags }),
    'registered-tags': tags,
    'consent-text': freeText,
    location: freeText,
  },
};
