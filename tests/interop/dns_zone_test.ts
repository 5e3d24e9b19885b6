import {
  encodeRdata,
  parseRecordType,
  parseZone,
  printRecord,
  printZone,
  type ResourceRecord,
} from "@nbio/net/dns";
import { assertEquals } from "@std/assert";
import { encodeHex } from "@std/encoding/hex";
import { hasCommand, interopEnabled } from "../_support/interop.ts";
import { runPeer } from "../_support/peer.ts";
import { EVERY_TYPE_ZONE } from "./dns_every_type_zone.ts";

const ORIGIN = "example.";

/** A program that reads zones. */
interface ZonePeer {
  readonly command: string;
  /** Arguments that make it print the zone in `file`, or only check it. */
  readonly args: (file: string) => readonly string[];
  /** Types it knows in the form of RFC 3597 only. */
  readonly unread: readonly string[];
  /** Whether it knows `$GENERATE`. */
  readonly generates?: boolean;
  /** Whether it only checks. */
  readonly isSilent?: boolean;
}

const DNSPYTHON = `
import sys, dns.zone
zone = dns.zone.from_file(sys.argv[1], "example.", relativize=False, check_origin=False)
for name, rdataset in zone.iterate_rdatasets():
    for rdata in rdataset:
        wire = rdata.to_wire()
        print(name, rdataset.ttl, "IN TYPE%d" % rdataset.rdtype, "\\\\# %d" % len(wire), wire.hex())
`;

/** Types that most of them are older than. */
const YOUNG = ["RESINFO", "WALLET", "DSYNC", "HHIT", "BRID"] as const;

const PEERS: readonly ZonePeer[] = [
  {
    command: "named-compilezone",
    args: (file) => [
      ...["-k", "ignore", "-i", "none", "-r", "ignore", "-n", "ignore", "-m", "ignore"],
      ...["-o", "-", ORIGIN, file],
    ],
    unread: [],
    generates: true,
  },
  {
    command: "ldns-read-zone",
    args: (file) => [file],
    unread: [...YOUNG, "AVC", "NINFO", "AMTRELAY"],
  },
  {
    command: "kzonecheck",
    args: (file) => ["-d", "off", "-o", ORIGIN, file],
    unread: [
      ...[...YOUNG, "X25", "ISDN", "PX", "SIG", "HIP", "NINFO", "AMTRELAY", "DLV"],
      ...["GPOS", "NSAP-PTR", "AVC"],
    ],
    isSilent: true,
  },
  {
    // The python3 in front on PATH need not be the one that has the package.
    command: "/usr/bin/python3",
    args: (file) => ["-c", DNSPYTHON, file],
    unread: [...YOUNG, "MINFO", "SIG", "KEY"],
    generates: true,
  },
];

/** Records in an order of their own, in a form that has one spelling for one record. */
function identify(records: readonly ResourceRecord[]): string[] {
  return records.map((record) => {
    const { name, ttl, class: recordClass, type, data } = record;
    const wire = encodeHex(encodeRdata(type, data));
    return `${name.toLowerCase()} ${ttl} ${recordClass} ${parseRecordType(type)} ${wire}`;
  }).toSorted();
}

/** The zone with lines that a peer cannot read in the form of RFC 3597. */
function zoneFor({ unread, generates = false }: ZonePeer): string {
  return EVERY_TYPE_ZONE.split("\n").flatMap((line) => {
    if (!generates && line.startsWith("$GENERATE")) return printGenerated(line);
    const type = line.split(" ")[1] ?? "";
    return unread.includes(type) ? printGeneric(line) : line;
  }).join("\n");
}

function printGenerated(line: string): string[] {
  return [...printZone(parseZone(line, { origin: ORIGIN, ttl: 3_600 }))];
}

function printGeneric(line: string): string {
  const [record] = parseZone(line, { origin: ORIGIN, ttl: 3_600 });
  return printGenericRecord(record!);
}

/** A record in the form of RFC 3597, which every peer reads. */
function printGenericRecord({ name, ttl, type, data }: ResourceRecord): string {
  const wire = encodeRdata(type, data);
  return `${name} ${ttl} IN TYPE${parseRecordType(type)} \\# ${wire.length} ${encodeHex(wire)}`;
}

/** The zone as we print it, for a peer. */
function printFor({ unread }: ZonePeer, records: readonly ResourceRecord[]): string {
  const lines = records.map((record) => {
    return unread.includes(record.type) ? printGenericRecord(record) : printRecord(record);
  });
  return `${lines.join("\n")}\n`;
}

/** What a peer reads from a zone. */
async function readByPeer(peer: ZonePeer, zone: string): Promise<string> {
  const file = await Deno.makeTempFile({ suffix: ".zone" });
  try {
    await Deno.writeTextFile(file, zone);
    const { code, text } = await runPeer(peer.command, [...peer.args(file)]);
    assertEquals(code, 0, text);
    return text;
  } finally {
    await Deno.remove(file);
  }
}

for (const peer of PEERS) {
  const name = peer.command.split("/").at(-1)!;
  const isMissing = !interopEnabled || !hasPeer(peer);
  Deno.test({
    name: `${name} reads the same from a zone with every type, and from what we print of it`,
    ignore: isMissing,
    async fn() {
      const records = parseZone(EVERY_TYPE_ZONE, { origin: ORIGIN });
      const wanted = identify(records);
      for (const zone of [zoneFor(peer), printFor(peer, records)]) {
        const text = await readByPeer(peer, zone);
        if (peer.isSilent) continue;
        // ldns puts this one name into quotes.
        const plain = text.replace(/^(zone .*|dump .*|OK)$/gm, "")
          .replace(/(\tNSAP-PTR\t)"(.*)"/g, "$1$2");
        assertEquals(identify(parseZone(plain)), wanted);
      }
    },
  });
}

function hasPeer({ command }: ZonePeer): boolean {
  if (!command.includes("/")) return hasCommand(command);
  if (!hasCommand("python3")) return false;
  try {
    return new Deno.Command(command, { args: ["-c", "import dns"] }).outputSync().success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
