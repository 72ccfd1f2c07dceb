/** Raised whenever a request, a reply or an event changes; both languages name theirs in the first exchange. */
export const protocolVersion = 1;
