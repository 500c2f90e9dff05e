import { join } from 'node:path';

/** Certificate of the cluster's authority; every node has a copy, under the name that QEMU wants. */
export const authorityCertificateFile = (folder: string): string => join(folder, 'ca-cert.pem');
/** Its key: it stays where the authority was made and never goes to a node. */
export const authorityKeyFile = (folder: string): string => join(folder, 'ca-key.pem');
