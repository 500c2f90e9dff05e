import { controlSocketFile, type KedgePaths } from '../../../src/config/paths.js';
import type { Vmid } from '../../../src/domain/ids.js';
import { connectQmp } from '../../../src/drivers/qmp/connect-qmp.js';
import type { QmpConnection, QmpEvent } from '../../../src/drivers/qmp/qmp-connection.js';

/**
 * The control connections of this worker, one per running guest. QEMU serves one client per monitor socket, so the
 * connection is kept: whoever holds it knows that no older worker's command is still on its way.
 */
export class GuestMonitors {
  readonly #paths: KedgePaths;
  readonly #connections = new Map<Vmid, Promise<QmpConnection>>();
  #listener: (vmid: Vmid, event: QmpEvent) => void = () => undefined;

  constructor(paths: KedgePaths) {
    this.#paths = paths;
  }

  /** Calls `listener` with every event of every guest that is or becomes connected. One listener. */
  listen(listener: (vmid: Vmid, event: QmpEvent) => void): void {
    this.#listener = listener;
  }

  /**
   * The connection to a guest's QEMU; opened, greeted and kept on first use.
   * @throws KedgeError `qmp-busy`, `qmp-disconnected`
   */
  async of(vmid: Vmid): Promise<QmpConnection> {
    const present = this.#connections.get(vmid);
    if (present !== undefined) {
      const connection = await present;
      if (!connection.isClosed) return connection;
      if (this.#connections.get(vmid) === present) this.#connections.delete(vmid);
      return this.of(vmid);
    }
    const opening = connectQmp(controlSocketFile(this.#paths, vmid));
    this.#keep(vmid, opening);
    return opening;
  }

  /**
   * Takes over the connection that the start of this guest's QEMU opens, from before it is open: whoever looks at the guest
   * meanwhile waits for it. Without that a look (the inventory takes one a second) could get to the new socket first, and the
   * start would wait for a greeting that QEMU gives to one client only.
   */
  adopt(vmid: Vmid, opening: Promise<QmpConnection>): void {
    this.#keep(vmid, opening);
  }

  #keep(vmid: Vmid, opening: Promise<QmpConnection>): void {
    const before = this.#connections.get(vmid);
    this.#connections.set(vmid, opening);
    const forget = (): void => {
      if (this.#connections.get(vmid) === opening) this.#connections.delete(vmid);
    };
    opening.then(
      (connection) => {
        connection.onEvent((event) => {
          this.#listener(vmid, event);
        });
        return connection.closed.then(forget, forget);
      },
      () => {
        // A start that was refused leaves the connection of the QEMU that runs already.
        if (this.#connections.get(vmid) !== opening) return;
        if (before === undefined) this.#connections.delete(vmid);
        else this.#connections.set(vmid, before);
      },
    );
  }

  closeAll(): void {
    for (const opening of this.#connections.values()) {
      opening.then(
        (connection) => {
          connection.close();
        },
        () => undefined,
      );
    }
    this.#connections.clear();
  }
}
