import type { Fencing } from '../../activities/control/fence-lost-node.js';

/** Of a cluster without devices; nobody looks at one either. */
export const NO_FENCING: Fencing = {
  config: () => Promise.resolve(null),
  fence: () => Promise.resolve({ off: false, reason: 'no device' }),
  look: () => Promise.reject(new Error('The test does not expect a look at a device')),
  place: 'nowhere',
};
