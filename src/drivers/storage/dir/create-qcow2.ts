import { qemuImg } from '../qemu-img.js';

/** Makes `file` an empty qcow2 image. @throws KedgeError `storage-failed` */
export async function createQcow2(file: string, sizeBytes: number): Promise<void> {
  // Metadata for the whole disk at once costs little and makes later writes of the guest even.
  await qemuImg(['create', '-q', '-f', 'qcow2', '-o', 'preallocation=metadata', file, String(sizeBytes)], `create ${file}`);
}
