/** The port that is tried first. */
export const usualPort = 8421;
/** Reached from this machine alone. */
export const loopback = "127.0.0.1";
