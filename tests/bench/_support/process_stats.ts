/** The scheduler's account of one process: nanoseconds on a core, by thread. */
export type CpuSnapshot = ReadonlyMap<string, number>;

/**
 * Takes the CPU account of a process from `/proc/PID/task/TID/schedstat`.
 *
 * `utime` and `stime` of `/proc/PID/stat` come in ticks of 10 ms, one per cent of a visit of one
 * second; the scheduler's account is exact and holds user and system time together.
 *
 * @throws {Deno.errors.NotFound} If there is no such process.
 */
export function cpuSnapshot(pid: number): CpuSnapshot {
  const threads = new Map<string, number>();
  for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
    try {
      const line = Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`);
      threads.set(name, Number.parseInt(line, 10));
    } catch (error) {
      // The thread ended between the listing and the reading.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return threads;
}

/**
 * Microseconds of CPU that all threads spent between two snapshots. A thread that started in
 * between counts from zero; one that ended in between is lost, which is an idle pool thread.
 */
export function cpuMicroseconds(before: CpuSnapshot, after: CpuSnapshot): number {
  let nanoseconds = 0;
  for (const [thread, spent] of after) nanoseconds += spent - (before.get(thread) ?? 0);
  return nanoseconds / 1_000;
}

/**
 * Resident memory of a process in bytes (`VmRSS`).
 *
 * @throws {Deno.errors.NotFound} If there is no such process.
 */
export function residentBytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/status`));
  if (match === null) throw new Error(`Cannot read resident memory: process ${pid} has ended`);
  return Number(match[1]) * 1_024;
}

/** How many files a process may hold open (the soft limit). */
export function maxOpenFiles(pid: number): number {
  const match = /^Max open files\s+(\d+)/m.exec(Deno.readTextFileSync(`/proc/${pid}/limits`));
  // "unlimited" does not match.
  return match === null ? Infinity : Number(match[1]);
}
