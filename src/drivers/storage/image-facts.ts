import { z } from 'zod';
import { KedgeError } from '../../domain/kedge-error.js';
import { qemuImg } from './qemu-img.js';
import { IMAGE_FORMATS, type ImageFormat } from './volume-id.js';

/** What an image is, as its own header says. */
export interface ImageFacts {
  readonly format: ImageFormat;
  /** Size as the guest sees it. */
  readonly virtualBytes: number;
  readonly allocatedBytes: number;
  readonly clusterBytes: number | null;
  readonly encrypted: boolean;
  /** Names of the snapshots inside, oldest first. */
  readonly snapshots: readonly string[];
  /** The image that this one is a difference to. */
  readonly backing: { readonly file: string; readonly format: string | null } | null;
  /** The file that holds the data, where the image holds only the metadata. */
  readonly dataFile: string | null;
  readonly corrupt: boolean;
}

/**
 * Reads what an image is, also while a guest runs on it. The format is the one of the volume's name, never guessed from the
 * content: that belongs to the guest. Neither a backing file nor a data file is opened.
 * @throws KedgeError `storage-failed`, also when the content is not of that format
 */
export async function readImageFacts(file: string, format: ImageFormat): Promise<ImageFacts> {
  const output = await qemuImg(['info', '--force-share', '-f', format, '--output=json', file], `read what image ${file} is`);
  return parseImageInfo(output);
}

const INFO = z.object({
  'format': z.enum(IMAGE_FORMATS),
  'virtual-size': z.int().nonnegative(),
  'actual-size': z.int().nonnegative(),
  'cluster-size': z.int().positive().optional(),
  'encrypted': z.boolean().optional(),
  'snapshots': z.array(z.object({ name: z.string() })).optional(),
  'backing-filename': z.string().optional(),
  'full-backing-filename': z.string().optional(),
  'backing-filename-format': z.string().optional(),
  'format-specific': z.object({ data: z.object({ 'corrupt': z.boolean().optional(), 'data-file': z.string().optional() }) }).optional(),
});

/** Parses `qemu-img info --output=json` of one image. @throws KedgeError `storage-failed` that names the field */
export function parseImageInfo(text: string): ImageFacts {
  const parsed = INFO.safeParse(parseJson(text));
  if (!parsed.success) throw new KedgeError('storage-failed', `Cannot understand qemu-img: ${z.prettifyError(parsed.error)}`, { cause: parsed.error });
  const info = parsed.data;
  const backing = info['full-backing-filename'] ?? info['backing-filename'];
  const data = info['format-specific']?.data;
  return {
    format: info.format,
    virtualBytes: info['virtual-size'],
    allocatedBytes: info['actual-size'],
    clusterBytes: info['cluster-size'] ?? null,
    encrypted: info.encrypted ?? false,
    snapshots: (info.snapshots ?? []).map(({ name }) => name),
    backing: backing === undefined ? null : { file: backing, format: info['backing-filename-format'] ?? null },
    dataFile: data?.['data-file'] ?? null,
    corrupt: data?.corrupt ?? false,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
