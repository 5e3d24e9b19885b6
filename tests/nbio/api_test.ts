import { testApi } from "../_support/api_snapshot.ts";

testApi({ entry: "nbio/mod.ts", file: new URL("api_mod.txt", import.meta.url) });
testApi({ entry: "nbio/testing.ts", file: new URL("api_testing.txt", import.meta.url) });
