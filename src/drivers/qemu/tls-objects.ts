import { KedgeError } from '../../domain/kedge-error.js';
import type { QmpConnection } from '../qmp/qmp-connection.js';

/** Ids of the objects that one QEMU holds for a migration. */
const CREDENTIALS_ID = 'kedge-tls';
const AUTHORIZATION_ID = 'kedge-authz';

export interface TlsObjects {
  readonly credentials: string;
  readonly authorization?: string;
}

/**
 * Makes the objects of the listening side: server credentials, and the rule that only the peer node's certificate may
 * connect (without a rule QEMU accepts any certificate of the CA). Objects of an earlier attempt are replaced.
 * @throws KedgeError `qmp-error` when the files are missing or wrong
 */
export async function addServerTls(qmp: QmpConnection, options: { readonly folder: string; readonly peerName: string }): Promise<TlsObjects> {
  await removeTls(qmp);
  await qmp.execute('object-add', {
    'qom-type': 'authz-list',
    id: AUTHORIZATION_ID,
    policy: 'deny',
    // QEMU matches the whole distinguished name; "CN=node1" must not match "CN=node12", and CN may stand first or last.
    rules: [
      { match: `CN=${options.peerName}`, format: 'exact', policy: 'allow' },
      { match: `*,CN=${options.peerName}`, format: 'glob', policy: 'allow' },
      { match: `CN=${options.peerName},*`, format: 'glob', policy: 'allow' },
    ],
  });
  await addCredentials(qmp, { folder: options.folder, endpoint: 'server' });
  return { credentials: CREDENTIALS_ID, authorization: AUTHORIZATION_ID };
}

/** Makes the object of the sending side: client credentials. @throws KedgeError `qmp-error` when the files are missing or wrong */
export async function addClientTls(qmp: QmpConnection, options: { readonly folder: string }): Promise<TlsObjects> {
  await removeTls(qmp);
  await addCredentials(qmp, { folder: options.folder, endpoint: 'client' });
  return { credentials: CREDENTIALS_ID };
}

/** Removes what either function made; "was not there" is fine. Clear `tls-creds` of the migration parameters first or later: QEMU looks objects up by name at `migrate`. */
export async function removeTls(qmp: QmpConnection): Promise<void> {
  for (const id of [CREDENTIALS_ID, AUTHORIZATION_ID]) {
    try {
      await qmp.execute('object-del', { id });
    } catch (error) {
      // QEMU has one class for all failures here; an object still in use would show at the next object-add.
      if (!(error instanceof KedgeError) || error.code !== 'qmp-error') throw error;
    }
  }
}

async function addCredentials(qmp: QmpConnection, options: { folder: string; endpoint: 'server' | 'client' }): Promise<void> {
  await qmp.execute('object-add', {
    'qom-type': 'tls-creds-x509',
    id: CREDENTIALS_ID,
    dir: options.folder,
    endpoint: options.endpoint,
    'verify-peer': true,
  });
}
