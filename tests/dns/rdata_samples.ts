import type { SeededRandom } from "../../nbio/testing_random.ts";
import { formatIpv4, formatIpv6 } from "../../nbio/ip_address.ts";
import { joinLabels } from "../../dns/name.ts";
import { formatRecordType } from "../../dns/record_type.ts";

type Sample = (random: SeededRandom) => unknown;

/** Makes random valid data of one type, ordered as decoding orders it. */
export const RDATA_SAMPLES: Readonly<Record<string, Sample>> = {
  A: (r) => ({ address: ipv4(r) }),
  NS: target,
  MD: target,
  MF: target,
  CNAME: target,
  SOA: (r) => ({
    mname: name(r),
    rname: name(r),
    serial: u32(r),
    refresh: u32(r),
    retry: u32(r),
    expire: u32(r),
    minimum: u32(r),
  }),
  MB: target,
  MG: target,
  MR: target,
  NULL: (r) => ({ bytes: r.bytes(r.between(0, 40)) }),
  PTR: target,
  HINFO: (r) => ({ cpu: string(r), os: string(r) }),
  MINFO: (r) => ({ rmailbx: name(r), emailbx: name(r) }),
  MX: (r) => ({ preference: u16(r), exchange: name(r) }),
  TXT: strings,
  RP: (r) => ({ mbox: name(r), txt: name(r) }),
  AFSDB: (r) => ({ subtype: u16(r), hostname: name(r) }),
  X25: (r) => ({ psdnAddress: string(r) }),
  ISDN: (r) => ({ isdnAddress: string(r), ...(r.between(0, 1) && { subaddress: string(r) }) }),
  RT: (r) => ({ preference: u16(r), intermediateHost: name(r) }),
  SIG: signature,
  "NSAP-PTR": target,
  KEY: (r) => {
    const [flags, protocol, algorithm] = [u16(r), u8(r), u8(r)];
    return { flags, protocol, algorithm, publicKey: blob(r, flags >= 0xc000 ? 0 : 1) };
  },
  GPOS: (r) => ({ longitude: string(r), latitude: string(r), altitude: string(r) }),
  PX: (r) => ({ preference: u16(r), map822: name(r), mapx400: name(r) }),
  AAAA: (r) => ({ address: ipv6(r) }),
  LOC: (r) => ({
    sizeCm: r.between(0, 9) * 10 ** r.between(0, 9),
    horizontalPrecisionCm: r.between(0, 9) * 10 ** r.between(0, 9),
    verticalPrecisionCm: r.between(0, 9) * 10 ** r.between(0, 9),
    latitudeMas: r.between(-324_000_000, 324_000_000),
    longitudeMas: r.between(-648_000_000, 648_000_000),
    altitudeCm: u32(r) - 10_000_000,
  }),
  SRV: (r) => ({ priority: u16(r), weight: u16(r), port: u16(r), target: name(r) }),
  NAPTR: (r) => ({
    order: u16(r),
    preference: u16(r),
    flags: string(r),
    services: string(r),
    regexp: string(r),
    replacement: name(r),
  }),
  KX: (r) => ({ preference: u16(r), exchanger: name(r) }),
  CERT: (r) => ({
    certificateType: u16(r),
    keyTag: u16(r),
    algorithm: u8(r),
    certificate: blob(r, 0),
  }),
  DNAME: target,
  OPT: (r) => ({ bytes: r.bytes(r.between(0, 40)) }),
  APL: (r) => ({ items: list(r, 0, prefixItem) }),
  DS: delegation,
  SSHFP: (r) => ({ algorithm: u8(r), fingerprintType: u8(r), fingerprint: blob(r, 1) }),
  IPSECKEY: (r) => {
    const [gatewayType, gateway] = relay(r);
    const [precedence, algorithm] = [u8(r), u8(r)];
    return { precedence, gatewayType, algorithm, gateway, publicKey: blob(r, 0) };
  },
  RRSIG: signature,
  NSEC: (r) => ({ nextDomainName: name(r), types: types(r) }),
  DNSKEY: key,
  DHCID: (r) => ({ identity: blob(r, 1) }),
  NSEC3: (r) => ({
    hashAlgorithm: u8(r),
    flags: u8(r),
    iterations: u16(r),
    salt: string(r),
    nextHashedOwnerName: blob(r, 1),
    types: types(r),
  }),
  NSEC3PARAM: (r) => ({
    hashAlgorithm: u8(r),
    flags: u8(r),
    iterations: u16(r),
    salt: string(r),
  }),
  TLSA: association,
  SMIMEA: association,
  HIP: (r) => ({
    publicKeyAlgorithm: u8(r),
    hit: blob(r, 1),
    publicKey: blob(r, 1),
    rendezvousServers: list(r, 0, name),
  }),
  NINFO: strings,
  AVC: strings,
  DSYNC: (r) => {
    const recordType = formatRecordType(u16(r));
    return { recordType, scheme: u8(r), port: u16(r), target: name(r) };
  },
  HHIT: (r) => ({ cbor: blob(r, 1) }),
  BRID: (r) => ({ cbor: blob(r, 1) }),
  CDS: delegation,
  CDNSKEY: key,
  OPENPGPKEY: (r) => ({ publicKey: blob(r, 1) }),
  CSYNC: (r) => ({ serial: u32(r), flags: u16(r), types: types(r) }),
  ZONEMD: (r) => {
    const hashAlgorithm = r.between(0, 3);
    const digest = r.bytes([12, 48, 64, 99][hashAlgorithm]!);
    return { serial: u32(r), scheme: u8(r), hashAlgorithm, digest };
  },
  SVCB: service,
  HTTPS: service,
  SPF: strings,
  NID: (r) => ({ preference: u16(r), nodeId: groups(r, 4, 4, ":") }),
  L32: (r) => ({ preference: u16(r), locator32: ipv4(r) }),
  L64: (r) => ({ preference: u16(r), locator64: groups(r, 4, 4, ":") }),
  LP: (r) => ({ preference: u16(r), fqdn: name(r) }),
  EUI48: (r) => ({ address: groups(r, 6, 2, "-") }),
  EUI64: (r) => ({ address: groups(r, 8, 2, "-") }),
  TKEY: (r) => ({
    algorithm: name(r),
    inception: u32(r),
    expiration: u32(r),
    mode: u16(r),
    error: u16(r),
    key: blob(r, 0),
    otherData: blob(r, 0),
  }),
  TSIG: (r) => ({
    algorithm: name(r),
    timeSigned: u16(r) * 2 ** 32 + u32(r),
    fudge: u16(r),
    mac: blob(r, 0),
    originalId: u16(r),
    error: u16(r),
    otherData: blob(r, 0),
  }),
  URI: (r) => ({ priority: u16(r), weight: u16(r), target: blob(r, 1) }),
  CAA: (r) => ({
    flags: u8(r),
    tag: r.pick(["issue", "issuewild", "iodef", "X9"]),
    value: blob(r, 0),
  }),
  AMTRELAY: (r) => {
    const [relayType, host] = relay(r);
    const discoveryOptional = r.between(0, 1) === 1;
    return { precedence: u8(r), discoveryOptional, relayType, relay: host };
  },
  RESINFO: strings,
  WALLET: strings,
  DLV: delegation,
  TYPE65280: (r) => ({ bytes: r.bytes(r.between(0, 40)) }),
};

function u8(random: SeededRandom): number {
  return random.between(0, 255);
}

function u16(random: SeededRandom): number {
  return random.between(0, 65_535);
}

function u32(random: SeededRandom): number {
  return random.between(0, 2 ** 32 - 1);
}

function list<T>(random: SeededRandom, min: number, make: (random: SeededRandom) => T): T[] {
  return Array.from({ length: random.between(min, 4) }, () => make(random));
}

/** Labels of any bytes, most of them letters; sometimes the root. */
function name(random: SeededRandom): string {
  return joinLabels(list(random, 0, (r) => {
    const label = r.bytes(r.between(1, 12));
    return r.between(0, 3) === 0 ? label : label.map((byte) => 0x61 + byte % 26);
  }));
}

function string(random: SeededRandom): Uint8Array {
  return random.bytes(random.pick([0, 1, 7, 30, 255]));
}

function blob(random: SeededRandom, min: number): Uint8Array {
  return random.bytes(random.between(min, 70));
}

function strings(random: SeededRandom): unknown {
  return { strings: list(random, 1, string) };
}

function target(random: SeededRandom): unknown {
  return { target: name(random) };
}

function ipv4(random: SeededRandom): string {
  return formatIpv4(random.bytes(4));
}

/** With runs of zeros, so that every short form comes up. */
function ipv6(random: SeededRandom): string {
  const bytes = random.bytes(16);
  const start = random.between(0, 16);
  return formatIpv6(bytes.fill(0, start, random.between(start, 16)));
}

function groups(random: SeededRandom, count: number, digits: number, separator: string): string {
  const parts = Array.from(
    { length: count },
    () => random.between(0, 16 ** digits - 1).toString(16).padStart(digits, "0"),
  );
  return parts.join(separator);
}

function types(random: SeededRandom): string[] {
  const codes = new Set(list(random, 0, (r) => r.between(0, 1) ? r.between(0, 70) : u16(r)));
  return [...codes].sort((a, b) => a - b).map(formatRecordType);
}

function relay(random: SeededRandom): [type: number, host: string] {
  const type = random.between(0, 3);
  return [type, [() => ".", ipv4, ipv6, name][type]!(random)];
}

function prefixItem(random: SeededRandom): unknown {
  const family = random.between(1, 3);
  const negation = random.between(0, 1) === 1;
  if (family === 3) {
    const address = random.bytes(random.between(0, 127));
    // Zeros at the end are not sent.
    if (address.length > 0) address[address.length - 1] = 1;
    return { family, negation, prefix: u8(random), address };
  }
  const prefix = random.between(0, family === 1 ? 32 : 128);
  return { family, negation, prefix, address: family === 1 ? ipv4(random) : ipv6(random) };
}

function key(random: SeededRandom): unknown {
  return {
    flags: u16(random),
    protocol: u8(random),
    algorithm: u8(random),
    publicKey: blob(random, 1),
  };
}

function signature(random: SeededRandom): unknown {
  return {
    typeCovered: formatRecordType(u16(random)),
    algorithm: u8(random),
    labels: u8(random),
    originalTtl: u32(random),
    signatureExpiration: u32(random),
    signatureInception: u32(random),
    keyTag: u16(random),
    signerName: name(random),
    signature: blob(random, 0),
  };
}

function delegation(random: SeededRandom): unknown {
  const digestType = random.between(0, 5);
  const digest = random.bytes([1, 20, 32, 32, 48, 7][digestType]!);
  return { keyTag: u16(random), algorithm: u8(random), digestType, digest };
}

function association(random: SeededRandom): unknown {
  return {
    usage: u8(random),
    selector: u8(random),
    matchingType: u8(random),
    certificateAssociationData: blob(random, 0),
  };
}

/** Values of the registered parameters. */
const PARAMETERS: Readonly<Record<string, Sample>> = {
  "alpn": (r) => list(r, 1, (one) => String.fromCharCode(...one.bytes(one.between(1, 9)))),
  "no-default-alpn": () => true,
  "port": u16,
  "ipv4hint": (r) => list(r, 1, ipv4),
  "ech": (r) => blob(r, 1),
  "ipv6hint": (r) => list(r, 1, ipv6),
  "dohpath": (r) => r.pick(['/"q"{?dns}', "/ä,{?dns}", "\u{1f310}\\\ufeff"]),
  "ohttp": () => true,
  "tls-supported-groups": (r) => list(r, 0, u16),
  "docpath": (r) => list(r, 0, (one) => one.bytes(one.between(1, 9))),
  "pvd": () => true,
  "key4711": (r) => blob(r, 0),
  "key65534": (r) => blob(r, 0),
};

/** Consistent with itself, so that its text is accepted. */
function service(random: SeededRandom): unknown {
  const params: Record<string, unknown> = {};
  const names = Object.keys(PARAMETERS).filter(() => random.between(0, 2) === 0);
  const isAlias = random.between(0, 5) === 0;
  const isConsistent = isAlias || names.includes("alpn") || !names.includes("no-default-alpn");
  if (!isConsistent) names.unshift("alpn");
  if (names.length > 0 && random.between(0, 1) === 1) params["mandatory"] = names.slice(0, 2);
  for (const name of names) params[name] = PARAMETERS[name]!(random);
  return { priority: isAlias ? 0 : random.between(1, 65_535), target: name(random), params };
}
