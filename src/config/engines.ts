/** What computes the steps of a run, the default first. Each has a module of its own in `python/bh_bridge/engines/`. */
export const engines = ["trainer", "fast"] as const;

/** The engines for people who choose one. */
export const enginesInWords = "`trainer` is HF's Trainer, the reference; `fast` computes the same step by hand, sooner, with other bits.";
