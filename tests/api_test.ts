import { testApi } from "./_support/api_snapshot.ts";

testApi({ entry: "mod.ts", file: new URL("api_root.txt", import.meta.url) });
