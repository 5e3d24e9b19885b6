import type { StoredCookie } from "../../http/stored_cookie.ts";

/** A cookie `a=b` of one host as a jar keeps it, with something else about it. */
export function storedCookie(changes: Partial<StoredCookie> = {}): StoredCookie {
  return {
    name: "a",
    value: "b",
    domain: "www.example.com",
    isHostOnly: true,
    path: "/",
    isSecure: false,
    isHttpOnly: false,
    sameSite: undefined,
    partitionKey: undefined,
    expiresUnixMs: undefined,
    createdUnixMs: 0,
    ...changes,
  };
}
