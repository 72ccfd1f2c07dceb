// A module that an observation names, and that does not export it.
export const module: string = import.meta.url;
