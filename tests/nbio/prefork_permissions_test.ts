import { assertEquals } from "@std/assert";
import { runPeer } from "../_support/peer.ts";

const MODULE = new URL("../../nbio/prefork_permissions.ts", import.meta.url).href;
const SCRIPT = `import { inheritedPermissions } from ${JSON.stringify(MODULE)};
console.log(inheritedPermissions().join(" "));`;

for (
  const [flags, expected] of [
    [[], ""],
    [["--allow-net", "--allow-read"], "--allow-read --allow-net"],
    [["--allow-net=127.0.0.1:80", "--allow-sys"], "--allow-sys"],
    [["--allow-net", "--deny-net=127.0.0.2", "--allow-env"], "--allow-env"],
    [
      ["-A", "--deny-ffi", "--deny-write=/etc", "--deny-run"],
      "--allow-read --allow-net --allow-env --allow-sys --allow-import",
    ],
  ] as const
) {
  Deno.test(`inheritedPermissions() of "${flags.join(" ")}" is "${expected}"`, async () => {
    const { text } = await runPeer(Deno.execPath(), [
      "run",
      "--no-prompt",
      ...flags,
      `data:text/javascript,${encodeURIComponent(SCRIPT)}`,
    ]);
    assertEquals(text, `${expected}\n`);
  });
}
