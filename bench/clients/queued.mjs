// @ts-check
/** A client with a queue of its own, which never lacks work: so many messages always wait there. */

/**
 * @param {number} queued
 * @param {(done: (error?: unknown) => void) => void} send gives the client one message
 * @returns {(more: () => boolean) => Promise<number>}
 */
export const pourQueued = (queued, send) => (more) =>
  new Promise((resolve, reject) => {
    let started = 0;
    let done = 0;
    const next = () => {
      if (more()) {
        started++;
        send((error) => {
          if (error) return reject(error);
          done++;
          next();
        });
      } else if (done === started) resolve(done);
    };
    for (let n = 0; n < queued; n++) next();
  });
