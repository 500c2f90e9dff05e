import { readFile } from 'node:fs/promises';
import { isRecord } from '../domain/is-record.js';
import { KedgeError } from '../domain/kedge-error.js';
import { parseDatacenterConfig, type DatacenterConfig } from '../schema/datacenter-config.js';

/** Reads a datacenter.cfg; one that is absent sets nothing. @throws KedgeError `bad-config` that names the file, or line and column */
export async function loadDatacenterConfig(file: string): Promise<DatacenterConfig> {
  return parseDatacenterConfig(await readText(file));
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (isRecord(error) && error['code'] === 'ENOENT') return '';
    throw new KedgeError('bad-config', `Cannot read "${file}": ${error instanceof Error ? error.message : String(error)}`, { cause: error, details: { file } });
  }
}
