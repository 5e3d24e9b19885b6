import { testApi } from "../_support/api_snapshot.ts";

testApi({ entry: "http/mod.ts", file: new URL("api_mod.txt", import.meta.url) });
testApi({ entry: "http/core.ts", file: new URL("api_core.txt", import.meta.url) });
