// The one allocation of an instance: its parts are laid out by the kernel that uses them.

const pageBytes: usize = 65536;

let cursor: usize = 0;

/** Begin a new layout; what was reserved before is gone. */
export function resetArena(): void {
  cursor = (__heap_base + 15) & ~15;
}

/** The address of `bytes` bytes at a multiple of 16, zeroed when the memory is new; 0 when there is no memory for them. */
export function reserve(bytes: u64): usize {
  const address = cursor;
  const end = <u64>address + ((bytes + 15) & ~15);
  if (end > 0xffff0000) return 0;
  const have = <u64>memory.size() * pageBytes;
  if (end > have && memory.grow(<i32>((end - have + pageBytes - 1) / pageBytes)) < 0) return 0;
  cursor = <usize>end;
  return address;
}
