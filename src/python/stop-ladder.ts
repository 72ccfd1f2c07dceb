/** One rung: what to do, and how long to wait for an end before the next one. */
interface Rung {
  act(): unknown;
  graceMs: number;
}

/** Climb from asking to killing until the process has ended; the only place where that order is decided. */
export async function stopLadder(ended: Promise<unknown>, rungs: readonly Rung[]): Promise<void> {
  let hasEnded = false;
  const end = ended.then(() => {
    hasEnded = true;
  });
  for (const { act, graceMs } of rungs) {
    if (hasEnded) return;
    act();
    if (!Number.isFinite(graceMs)) return end;
    let timer: NodeJS.Timeout | undefined;
    const grace = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, graceMs);
    });
    await Promise.race([end, grace]);
    clearTimeout(timer);
  }
}
