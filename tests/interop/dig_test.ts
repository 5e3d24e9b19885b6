import { assertEquals } from "@std/assert";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { type Peer, runPeer, startPeer } from "../_support/peer.ts";

/** Debian packages: bind9, bind9-dnsutils. */
const hasPeers = [hasCommand("named"), hasCommand("dig")].every(Boolean);
const ignore = !interopEnabled || !hasPeers;

const DIG = new URL("../../examples/dig.ts", import.meta.url).pathname;

const ZONE = String.raw`$ORIGIN example.
$TTL 3600
@ SOA ns hostmaster 1 7200 900 604800 300
@ NS ns
@ MX 10 mail
@ TXT "v=spf1 -all" "semi;colon \"quoted\" \255"
@ CAA 0 issue "ca.example"
ns A 127.0.0.1
mail A 192.0.2.25
mail AAAA 2001:db8::25
www CNAME web
web 60 A 192.0.2.1
web 60 A 192.0.2.2
web 60 AAAA 2001:db8::1
*.wild A 192.0.2.7
tree DNAME example.org.
_sip._tcp SRV 1 2 5060 mail
https HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.1
tlsa TLSA 3 1 1 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
sub NS ns.sub
ns.sub A 192.0.2.53
sub DS 12345 8 2 000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F
odd\.name A 192.0.2.9
unknown TYPE65280 \# 4 0A0B0C0D
${
  Array.from({ length: 80 }, (_, index) => `large TXT "${`${index} `.padEnd(200, "x")}"`).join(
    "\n",
  )
}
`;

const REVERSE_ZONE = `$TTL 3600
@ SOA ns.example. hostmaster.example. 1 7200 900 604800 300
@ NS ns.example.
1 PTR web.example.
`;

interface Named extends AsyncDisposable {
  readonly port: number;
}

/** Starts BIND with both zones on a free port. */
async function startNamed(): Promise<Named> {
  const folder = await Deno.makeTempDir();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await Deno.writeTextFile(`${folder}/example.zone`, ZONE);
  await Deno.writeTextFile(`${folder}/reverse.zone`, REVERSE_ZONE);
  await Deno.writeTextFile(
    `${folder}/named.conf`,
    `options { directory "${folder}"; listen-on port ${port} { 127.0.0.1; };
       listen-on-v6 { none; }; pid-file none; recursion no; dnssec-validation no;
       rrset-order { order none; }; check-names primary ignore; };
     controls { };
     zone "example" { type primary; file "example.zone"; };
     zone "2.0.192.in-addr.arpa" { type primary; file "reverse.zone"; };`,
  );
  // Its log goes to standard error.
  const command = `exec named -g -c "${folder}/named.conf" 2>&1`;
  const peer: Peer = startPeer("sh", ["-c", command], 60_000);
  const stop = async (): Promise<void> => {
    await peer[Symbol.asyncDispose]();
    await Deno.remove(folder, { recursive: true });
  };
  try {
    await peer.ready(/ running$/);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, [Symbol.asyncDispose]: stop };
}

/** What is another one each time, made equal. */
function normalize(text: string): string[] {
  return text
    .replace(/^; <<>> .*$/m, "; <<>>")
    .replace(/^(; COOKIE: )[0-9a-f]+/m, "$1...")
    .replace(/ id: \d+$/m, " id: 0")
    .replace(/^;; Query time: \d+ msec$/m, ";; Query time: 0 msec")
    .replace(/^;; WHEN: \w{3} \w{3} \d\d \d\d:\d\d:\d\d \S+ \d{4}$/m, ";; WHEN:")
    .split("\n");
}

const COMMANDS: readonly string[] = [
  "web.example",
  "web.example. AAAA",
  "MX example",
  "-t TXT example -c IN",
  "www.example A +tcp",
  "www.example A +noedns",
  "www.example +nocookie +dnssec",
  "nobody.example A",
  "example A",
  "a.wild.example",
  "a.tree.example",
  "a.sub.example +norecurse",
  "sub.example DS +norecurse",
  "_sip._tcp.example SRV",
  "https.example HTTPS",
  "tlsa.example TLSA",
  "unknown.example TYPE65280",
  "odd\\.name.example",
  "example CAA +bufsize=600",
  "other.test A",
  "-x 192.0.2.1",
  "-x 192.0.2.200 +short",
  "+short www.example",
  "+short example MX",
  "+short example TXT",
  "large.example TXT +short",
  "large.example TXT +noedns",
  "web.example +noall +answer",
  "www.example +nocomments +nostats",
  "www.example +nocmd +noquestion +nostats",
  "example NS +noall +answer +additional",
  "-4 web.example +short mail.example AAAA +short",
  "version.bind CH TXT +norecurse +short",
];

Deno.test({
  name: "examples/dig.ts prints what dig prints",
  ignore,
  async fn(t) {
    await using named = await startNamed();
    // Two that print the same error agree as well.
    const probe = ["@127.0.0.1", "-p", `${named.port}`, "+short", "alone.wild.example"];
    assertEquals((await runPeer("dig", ["-r", ...probe])).text, "192.0.2.7\n");
    for (const command of COMMANDS) {
      await t.step(command, async () => {
        const args = [
          "@127.0.0.1",
          "-p",
          `${named.port}`,
          "+time=5",
          "+tries=1",
          ...command.split(" "),
        ];
        const [ours, theirs] = await Promise.all([
          runPeer(Deno.execPath(), ["run", "--allow-net", "--allow-read", DIG, ...args]),
          runPeer("dig", ["-r", "+noadflag", ...args]),
        ]);
        assertEquals(ours.stderr, "");
        assertEquals(normalize(ours.text), normalize(theirs.text));
        assertEquals(ours.code, theirs.code);
      });
    }
  },
});

Deno.test({
  name: "examples/dig.ts says that nobody answers, as dig does",
  ignore,
  async fn() {
    using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const { port } = silent.addr as Deno.NetAddr;
    const args = ["@127.0.0.1", "-p", `${port}`, "+time=1", "+tries=1", "example"];
    const [ours, theirs] = await Promise.all([
      runPeer(Deno.execPath(), ["run", "--allow-net", "--allow-read", DIG, ...args]),
      runPeer("dig", ["-r", ...args]),
    ]);
    assertEquals([ours.code, theirs.code], [9, 9]);
    assertEquals(ours.text.includes(";; no servers could be reached"), true);
    assertEquals(theirs.text.includes(";; no servers could be reached"), true);
  },
});
