import type { ImageFacts } from './image-facts.js';

/** A reason why a copy of the image's file would not be a copy of the disk. */
export interface CopyObstacle {
  readonly id: 'backing-file' | 'data-file' | 'corrupt';
  readonly text: string;
  readonly remedy: string;
  /** The image that a linked clone was made from; null: another reason. */
  readonly base: string | null;
}

/**
 * All reasons that forbid to move an image by copying its file; empty when a copy is complete. Snapshots inside, encryption and
 * preallocation move with the file.
 */
export function whyNotCopied(volumeId: string, facts: ImageFacts): readonly CopyObstacle[] {
  const obstacles: CopyObstacle[] = [];
  if (facts.backing !== null) {
    obstacles.push({
      id: 'backing-file',
      text: `${volumeId} is a linked clone: what it does not hold itself is in ${facts.backing.file}`,
      remedy: 'Make it a full image first: shut the guest down and run "qemu-img rebase -b \'\'" on it',
      base: facts.backing.file,
    });
  }
  if (facts.dataFile !== null) {
    obstacles.push({
      id: 'data-file',
      text: `${volumeId} keeps its data in another file, ${facts.dataFile}`,
      remedy: 'Convert it to an image that holds its data: "qemu-img convert -O qcow2"',
      base: null,
    });
  }
  if (facts.corrupt) {
    obstacles.push({
      id: 'corrupt',
      text: `${volumeId} is marked as corrupt`,
      remedy: 'Run "qemu-img check -r all" on it while the guest is off',
      base: null,
    });
  }
  return obstacles;
}
