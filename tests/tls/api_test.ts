import { testApi } from "../_support/api_snapshot.ts";

testApi({ entry: "tls/mod.ts", file: new URL("api_mod.txt", import.meta.url) });
testApi({ entry: "tls/x509.ts", file: new URL("api_x509.txt", import.meta.url) });
