import { testApi } from "../_support/api_snapshot.ts";

testApi({ entry: "http/mod.ts", file: new URL("api_mod.txt", import.meta.url) });
testApi({ entry: "http/core.ts", file: new URL("api_core.txt", import.meta.url) });
testApi({ entry: "http/cli.ts", file: new URL("api_cli.txt", import.meta.url) });
testApi({ entry: "http/otel.ts", file: new URL("api_otel.txt", import.meta.url) });
