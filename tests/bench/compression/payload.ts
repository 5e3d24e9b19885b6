/** About 10 KiB of JSON such as an API answers with: text, numbers, and much that repeats. */
export function rowsOfTenKib(): unknown[] {
  const rows: unknown[] = [];
  for (let id = 0; JSON.stringify(rows).length < 10_240; id++) {
    rows.push({
      id,
      name: `customer ${(id * 7_919) % 9_973}`,
      email: `user${id * 31}@example.org`,
      active: id % 3 === 0,
      score: Math.round(Math.sin(id) * 1e6) / 1e3,
    });
  }
  return rows;
}
