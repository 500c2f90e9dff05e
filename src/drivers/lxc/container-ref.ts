import { join } from 'node:path';

/** Which container is meant: LXC knows it by its folder of containers (`-P`) and its name there. */
export interface ContainerRef {
  /** Absolute: LXC takes another spelling of the same folder for another set of containers. */
  readonly lxcPath: string;
  /** Name of the container. */
  readonly vmid: number;
}

/** The files of one container, all in `<lxcPath>/<vmid>`. */
export interface ContainerFiles {
  readonly folder: string;
  readonly config: string;
  /** What the container wrote to its console in its newest run; the run before is `console.previous.log`. */
  readonly console: string;
  readonly previousConsole: string;
  /** What LXC has to say of the newest run; an ending that was asked for makes it `lxc.previous.log`. */
  readonly log: string;
  readonly previousLog: string;
}

/** Names the files of a container. */
export function containerFiles({ lxcPath, vmid }: ContainerRef): ContainerFiles {
  const folder = join(lxcPath, String(vmid));
  return {
    folder,
    config: join(folder, 'config'),
    console: join(folder, 'console.log'),
    previousConsole: join(folder, 'console.previous.log'),
    log: join(folder, 'lxc.log'),
    previousLog: join(folder, 'lxc.previous.log'),
  };
}
