/** What Python's wrappers put between the parts of a name: pickled modules their tables, `torch.compile` and `DataParallel` the module that they hold. */
const wrappers: ReadonlySet<string> = new Set(["_parameters", "_buffers", "_modules", "_orig_mod", "module"]);
/** Dicts in which training scripts save the state of a model. */
const dicts: ReadonlySet<string> = new Set(["model_state_dict", "state_dict", "model"]);

/** The name that a model itself gives to a tensor: `transformer.wte.weight` for `model_state_dict.module.transformer.wte._parameters.weight`. */
export function plainTensorName(name: string): string {
  const parts = name.split(".").filter((part) => !wrappers.has(part));
  const first = parts.findIndex((part) => !dicts.has(part));
  return first < 0 ? name : parts.slice(first).join(".");
}
