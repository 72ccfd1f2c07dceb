/** What computes the steps of a run, the default first. Each has a module of its own in `python/bh_bridge/engines/`. */
export const engines = ["trainer"] as const;

/** The engines for people who choose one. */
export const enginesInWords = "`trainer` is HF's Trainer, the reference.";

/** Engines that are not there yet, and when they will be. */
export const laterEngines: Readonly<Record<string, string>> = { fast: "it comes with a later version" };
