/** `cpu`, `cuda` or `mps`: the kind of a device as a configuration names it (`cuda:1`), or as a run recorded it (`cuda: NVIDIA H100`). */
export function deviceKind(device: string): string {
  return device.split(":")[0] ?? device;
}
