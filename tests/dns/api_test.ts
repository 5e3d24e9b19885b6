import { testApi } from "../_support/api_snapshot.ts";

testApi({ entry: "dns/mod.ts", file: new URL("api_mod.txt", import.meta.url) });
testApi({ entry: "dns/core.ts", file: new URL("api_core.txt", import.meta.url) });
