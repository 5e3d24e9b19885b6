// This module is sans-I/O.

/**
 * The data of every record type this package knows, in the words of the RFCs.
 *
 * Domain names are absolute text with a dot at the end. Types are mnemonics. Addresses are
 * canonical text. What may hold any byte is a `Uint8Array`. Numbers are unsigned, of the width the
 * RFC gives them, unless a field says otherwise.
 *
 * @module
 */

import type { SvcParams } from "./svc_params.ts";

/** A (RFC 1035), AAAA (RFC 3596). */
export interface AddressData {
  /** The IPv4 or IPv6 address; IPv6 in the form of RFC 5952. */
  readonly address: string;
}

/** NS, CNAME, PTR, MB, MD, MF, MG, MR (RFC 1035), NSAP-PTR (RFC 1348), DNAME (RFC 6672). */
export interface TargetData {
  /** The name pointed to. */
  readonly target: string;
}

/** SOA (RFC 1035 section 3.3.13). */
export interface SoaData {
  /** Primary name server. */
  readonly mname: string;
  /** Mailbox of who is responsible, as a name. */
  readonly rname: string;
  /** Version of the zone. */
  readonly serial: number;
  /** Seconds until a secondary looks for a newer version. */
  readonly refresh: number;
  /** Seconds until it tries again where that failed. */
  readonly retry: number;
  /** Seconds after which it stops answering. */
  readonly expire: number;
  /** Seconds for which an absence may be cached (RFC 2308). */
  readonly minimum: number;
}

/** MINFO (RFC 1035 section 3.3.7). */
export interface MinfoData {
  /** Mailbox of who is responsible for the list. */
  readonly rmailbx: string;
  /** Mailbox for error messages. */
  readonly emailbx: string;
}

/** MX (RFC 1035 section 3.3.9). */
export interface MxData {
  /** Lower is preferred. */
  readonly preference: number;
  /** The mail server; the root alone means that no mail is accepted (RFC 7505). */
  readonly exchange: string;
}

/** HINFO (RFC 1035 section 3.3.2). */
export interface HinfoData {
  /** Kind of processor, at most 255 bytes. */
  readonly cpu: Uint8Array;
  /** Operating system, at most 255 bytes. */
  readonly os: Uint8Array;
}

/** TXT (RFC 1035), SPF (RFC 7208), NINFO, AVC, RESINFO (RFC 9606), WALLET. */
export interface TextData {
  /** One string or more, each of at most 255 bytes. */
  readonly strings: readonly Uint8Array[];
}

/** RP (RFC 1183 section 2.2). */
export interface RpData {
  /** Mailbox of the person, as a name. */
  readonly mbox: string;
  /** Where TXT records about the person are. */
  readonly txt: string;
}

/** AFSDB (RFC 1183 section 1). */
export interface AfsdbData {
  /** 1 for AFS, 2 for DCE. */
  readonly subtype: number;
  /** The server. */
  readonly hostname: string;
}

/** X25 (RFC 1183 section 3.1). */
export interface X25Data {
  /** The PSDN address, at most 255 bytes. */
  readonly psdnAddress: Uint8Array;
}

/** ISDN (RFC 1183 section 3.2). */
export interface IsdnData {
  /** The ISDN number, at most 255 bytes. */
  readonly isdnAddress: Uint8Array;
  /** The subaddress, at most 255 bytes. */
  readonly subaddress?: Uint8Array;
}

/** RT (RFC 1183 section 3.3). */
export interface RtData {
  /** Lower is preferred. */
  readonly preference: number;
  /** The host that routes. */
  readonly intermediateHost: string;
}

/** PX (RFC 2163). */
export interface PxData {
  /** Lower is preferred. */
  readonly preference: number;
  /** The RFC 822 domain. */
  readonly map822: string;
  /** The X.400 domain. */
  readonly mapx400: string;
}

/** SIG (RFC 2535), RRSIG (RFC 4034 section 3). */
export interface RrsigData {
  /** Type of the records signed; `"TYPE0"` in a SIG(0) (RFC 2931). */
  readonly typeCovered: string;
  /** Number of the algorithm. */
  readonly algorithm: number;
  /** Labels of the owner, without root and asterisk. */
  readonly labels: number;
  /** TTL of the records when they were signed. */
  readonly originalTtl: number;
  /** End of the validity, in seconds since 1970, modulo 2^32. */
  readonly signatureExpiration: number;
  /** Start of the validity, in seconds since 1970, modulo 2^32. */
  readonly signatureInception: number;
  /** Tag of the key. */
  readonly keyTag: number;
  /** Owner of the key. */
  readonly signerName: string;
  /** The signature. */
  readonly signature: Uint8Array;
}

/** KEY (RFC 2535, 3445), DNSKEY (RFC 4034 section 2), CDNSKEY (RFC 7344). */
export interface DnskeyData {
  /** 256 for a zone key, 1 more for a secure entry point, 128 more for a revoked one. */
  readonly flags: number;
  /** 3 for DNSSEC. */
  readonly protocol: number;
  /** Number of the algorithm. */
  readonly algorithm: number;
  /**
   * The key, in the form of its algorithm; empty only where a KEY (RFC 2535) or a CDNSKEY
   * (RFC 8078) says that there is none.
   */
  readonly publicKey: Uint8Array;
}

/** DS (RFC 4034 section 5), CDS (RFC 7344), DLV (RFC 4431). */
export interface DsData {
  /** Tag of the key. */
  readonly keyTag: number;
  /** Algorithm of the key. */
  readonly algorithm: number;
  /** Number of the digest algorithm. */
  readonly digestType: number;
  /** Digest of owner and key. */
  readonly digest: Uint8Array;
}

/** NSEC (RFC 4034 section 4). */
export interface NsecData {
  /** Owner that comes next in the zone. */
  readonly nextDomainName: string;
  /** The types this owner has, ascending by number. */
  readonly types: readonly string[];
}

/** NSEC3 (RFC 5155 section 3). */
export interface Nsec3Data {
  /** 1 for SHA-1. */
  readonly hashAlgorithm: number;
  /** 1 for opt-out. */
  readonly flags: number;
  /** Rounds beyond the first. */
  readonly iterations: number;
  /** At most 255 bytes. */
  readonly salt: Uint8Array;
  /** Hash that comes next, 1 to 255 bytes. */
  readonly nextHashedOwnerName: Uint8Array;
  /** The types this owner has, ascending by number. */
  readonly types: readonly string[];
}

/** NSEC3PARAM (RFC 5155 section 4). */
export interface Nsec3ParamData {
  /** 1 for SHA-1. */
  readonly hashAlgorithm: number;
  /** 0. */
  readonly flags: number;
  /** Rounds beyond the first. */
  readonly iterations: number;
  /** At most 255 bytes. */
  readonly salt: Uint8Array;
}

/** CSYNC (RFC 7477). */
export interface CsyncData {
  /** Serial of the zone's SOA. */
  readonly serial: number;
  /** 1 for immediate, 2 for soaminimum. */
  readonly flags: number;
  /** The types to copy, ascending by number. */
  readonly types: readonly string[];
}

/** ZONEMD (RFC 8976). */
export interface ZonemdData {
  /** Serial of the zone's SOA. */
  readonly serial: number;
  /** 1 for SIMPLE. */
  readonly scheme: number;
  /** 1 for SHA-384, 2 for SHA-512. */
  readonly hashAlgorithm: number;
  /** Digest of the zone, 12 bytes or more. */
  readonly digest: Uint8Array;
}

/** LOC (RFC 1876). */
export interface LocData {
  /** Diameter of what is described, in centimetres: one digit and up to nine zeros. */
  readonly sizeCm: number;
  /** Diameter of the horizontal error, in centimetres: one digit and up to nine zeros. */
  readonly horizontalPrecisionCm: number;
  /** Span of the vertical error, in centimetres: one digit and up to nine zeros. */
  readonly verticalPrecisionCm: number;
  /** In thousandths of a second of arc, north positive, -324,000,000 to 324,000,000. */
  readonly latitudeMas: number;
  /** In thousandths of a second of arc, east positive, -648,000,000 to 648,000,000. */
  readonly longitudeMas: number;
  /** Above the WGS 84 spheroid, in centimetres, -10,000,000 to 4,284,967,295. */
  readonly altitudeCm: number;
}

/** SRV (RFC 2782). */
export interface SrvData {
  /** Lower is tried first. */
  readonly priority: number;
  /** Share among equal priorities. */
  readonly weight: number;
  /** Port of the service. */
  readonly port: number;
  /** The host; the root alone means that there is no such service. */
  readonly target: string;
}

/** NAPTR (RFC 3403 section 4). */
export interface NaptrData {
  /** Lower is processed first. */
  readonly order: number;
  /** Lower is preferred among equal orders. */
  readonly preference: number;
  /** Letters and digits, at most 255 bytes. */
  readonly flags: Uint8Array;
  /** At most 255 bytes. */
  readonly services: Uint8Array;
  /** Substitution expression, at most 255 bytes. */
  readonly regexp: Uint8Array;
  /** Name to ask next. */
  readonly replacement: string;
}

/** KX (RFC 2230). */
export interface KxData {
  /** Lower is preferred. */
  readonly preference: number;
  /** The key exchanger. */
  readonly exchanger: string;
}

/** CERT (RFC 4398). */
export interface CertData {
  /** 1 for PKIX, 2 for SPKI, 3 for PGP, and so on. */
  readonly certificateType: number;
  /** Tag of the key in it. */
  readonly keyTag: number;
  /** Algorithm of the key in it. */
  readonly algorithm: number;
  /** The certificate, its list or its URL. */
  readonly certificate: Uint8Array;
}

/** One item of an {@linkcode AplData}. */
export interface AplItem {
  /** 1 for IPv4, 2 for IPv6. */
  readonly family: number;
  /** Whether the range is taken out. */
  readonly negation: boolean;
  /** Bits of the prefix. */
  readonly prefix: number;
  /** The address; in other families than 1 and 2 its bytes without zeros at the end, at most 127. */
  readonly address: string | Uint8Array;
}

/** APL (RFC 3123). */
export interface AplData {
  /** The ranges, in order; there may be none. */
  readonly items: readonly AplItem[];
}

/** SSHFP (RFC 4255). */
export interface SshfpData {
  /** 1 RSA, 2 DSA, 3 ECDSA, 4 Ed25519, 6 Ed448. */
  readonly algorithm: number;
  /** 1 for SHA-1, 2 for SHA-256. */
  readonly fingerprintType: number;
  /** The fingerprint. */
  readonly fingerprint: Uint8Array;
}

/** IPSECKEY (RFC 4025). */
export interface IpseckeyData {
  /** Lower is preferred. */
  readonly precedence: number;
  /** 0 for none, 1 for IPv4, 2 for IPv6, 3 for a name. */
  readonly gatewayType: number;
  /** 0 for no key, 1 for DSA, 2 for RSA, 3 for ECDSA. */
  readonly algorithm: number;
  /** The gateway; `"."` where there is none. */
  readonly gateway: string;
  /** The key, in the form of its algorithm. */
  readonly publicKey: Uint8Array;
}

/** AMTRELAY (RFC 8777). */
export interface AmtrelayData {
  /** Lower is preferred. */
  readonly precedence: number;
  /** Whether discovery may be left out. */
  readonly discoveryOptional: boolean;
  /** 0 for none, 1 for IPv4, 2 for IPv6, 3 for a name. */
  readonly relayType: number;
  /** The relay; `"."` where there is none. */
  readonly relay: string;
}

/** DHCID (RFC 4701). */
export interface DhcidData {
  /**
   * Who has the name, for DHCP alone, 1 byte or more: two bytes with the kind of the identifier, one
   * with that of the digest, and the digest of identifier and name.
   */
  readonly identity: Uint8Array;
}

/** DSYNC (RFC 9859). */
export interface DsyncData {
  /** Type of the records whose change is told: `"CDS"`, `"CSYNC"`. */
  readonly recordType: string;
  /** 1 for NOTIFY. */
  readonly scheme: number;
  /** Where to tell it: a port. */
  readonly port: number;
  /** Where to tell it: a host. */
  readonly target: string;
}

/** GPOS (RFC 1712): decimal numbers as text, each at most 255 bytes. */
export interface GposData {
  /** In degrees. */
  readonly longitude: Uint8Array;
  /** In degrees. */
  readonly latitude: Uint8Array;
  /** In metres. */
  readonly altitude: Uint8Array;
}

/** HHIT, BRID (RFC 9886). */
export interface DripData {
  /** Identity of an unmanned aircraft, as CBOR. */
  readonly cbor: Uint8Array;
}

/** TLSA (RFC 6698), SMIMEA (RFC 8162). */
export interface TlsaData {
  /** 0 PKIX-TA, 1 PKIX-EE, 2 DANE-TA, 3 DANE-EE. */
  readonly usage: number;
  /** 0 for the whole certificate, 1 for its public key. */
  readonly selector: number;
  /** 0 for all of it, 1 for SHA-256, 2 for SHA-512. */
  readonly matchingType: number;
  /** What is compared. */
  readonly certificateAssociationData: Uint8Array;
}

/** HIP (RFC 8005). */
export interface HipData {
  /** Number of the algorithm, as in IPSECKEY. */
  readonly publicKeyAlgorithm: number;
  /** Host identity tag, 1 to 255 bytes. */
  readonly hit: Uint8Array;
  /** The key, 1 to 65,535 bytes. */
  readonly publicKey: Uint8Array;
  /** Rendezvous servers, the preferred one first; there may be none. */
  readonly rendezvousServers: readonly string[];
}

/** OPENPGPKEY (RFC 7929). */
export interface OpenpgpkeyData {
  /** The transferable public key. */
  readonly publicKey: Uint8Array;
}

/** SVCB, HTTPS (RFC 9460). */
export interface SvcbData {
  /** 0 in AliasMode, else lower is preferred. */
  readonly priority: number;
  /** The other name; `"."` is the owner in ServiceMode, nothing at all in AliasMode. */
  readonly target: string;
  /** The parameters; those of an AliasMode record mean nothing. */
  readonly params: SvcParams;
}

/** NID (RFC 6742 section 2.1). */
export interface NidData {
  /** Lower is preferred. */
  readonly preference: number;
  /** Four groups of four hexadecimal digits: `"0014:4fff:ff20:ee64"`. */
  readonly nodeId: string;
}

/** L32 (RFC 6742 section 2.2). */
export interface L32Data {
  /** Lower is preferred. */
  readonly preference: number;
  /** In the form of an IPv4 address. */
  readonly locator32: string;
}

/** L64 (RFC 6742 section 2.3). */
export interface L64Data {
  /** Lower is preferred. */
  readonly preference: number;
  /** Four groups of four hexadecimal digits: `"2001:0db8:1140:1000"`. */
  readonly locator64: string;
}

/** LP (RFC 6742 section 2.4). */
export interface LpData {
  /** Lower is preferred. */
  readonly preference: number;
  /** Name that has L32 or L64 records. */
  readonly fqdn: string;
}

/** EUI48, EUI64 (RFC 7043). */
export interface EuiData {
  /** Six or eight groups of two hexadecimal digits: `"00-00-5e-00-53-2a"`. */
  readonly address: string;
}

/** URI (RFC 7553). */
export interface UriData {
  /** Lower is tried first. */
  readonly priority: number;
  /** Share among equal priorities. */
  readonly weight: number;
  /** The URI, one byte or more. */
  readonly target: Uint8Array;
}

/** CAA (RFC 8659). */
export interface CaaData {
  /** 128 for critical. */
  readonly flags: number;
  /** Letters and digits, 1 to 255. */
  readonly tag: string;
  /** The value. */
  readonly value: Uint8Array;
}

/** TKEY (RFC 2930). */
export interface TkeyData {
  /** Name of the algorithm. */
  readonly algorithm: string;
  /** Start of the validity, in seconds since 1970, modulo 2^32. */
  readonly inception: number;
  /** End of the validity, in seconds since 1970, modulo 2^32. */
  readonly expiration: number;
  /** How the key is agreed on. */
  readonly mode: number;
  /** Extended response code. */
  readonly error: number;
  /** The key exchange, at most 65,535 bytes. */
  readonly key: Uint8Array;
  /** At most 65,535 bytes. */
  readonly otherData: Uint8Array;
}

/** TSIG (RFC 8945). */
export interface TsigData {
  /** Name of the algorithm. */
  readonly algorithm: string;
  /** Seconds since 1970, 48 bits. */
  readonly timeSigned: number;
  /** Seconds the clocks may differ. */
  readonly fudge: number;
  /** The authentication code, at most 65,535 bytes. */
  readonly mac: Uint8Array;
  /** Id of the message before anyone forwarded it. */
  readonly originalId: number;
  /** Extended response code. */
  readonly error: number;
  /** At most 65,535 bytes. */
  readonly otherData: Uint8Array;
}

/** NULL (RFC 1035), OPT as bytes, and every type this package does not know (RFC 3597). */
export interface OpaqueData {
  /** The RDATA as it is on the wire. */
  readonly bytes: Uint8Array;
}

/** Types that have a name and whose data stays bytes: obsolete, experimental or hardly in use. */
export type OpaqueRecordType =
  | "WKS"
  | "NSAP"
  | "NXT"
  | "EID"
  | "NIMLOC"
  | "ATMA"
  | "A6"
  | "SINK"
  | "RKEY"
  | "TALINK"
  | "UINFO"
  | "UID"
  | "GID"
  | "UNSPEC"
  | "NXNAME"
  | "DOA"
  | "CLA"
  | "IPN"
  | "TA";

/** The types this package knows, and what their records hold. */
export interface RecordDataMap extends Readonly<Record<OpaqueRecordType, OpaqueData>> {
  /** Host address. */
  readonly A: AddressData;
  /** Authoritative name server. */
  readonly NS: TargetData;
  /** Mail destination, obsolete. */
  readonly MD: TargetData;
  /** Mail forwarder, obsolete. */
  readonly MF: TargetData;
  /** Canonical name of an alias. */
  readonly CNAME: TargetData;
  /** Start of a zone of authority. */
  readonly SOA: SoaData;
  /** Mailbox. */
  readonly MB: TargetData;
  /** Member of a mail group. */
  readonly MG: TargetData;
  /** New name of a mailbox. */
  readonly MR: TargetData;
  /** Anything at all. */
  readonly NULL: OpaqueData;
  /** Name an address or another name stands for. */
  readonly PTR: TargetData;
  /** Host information. */
  readonly HINFO: HinfoData;
  /** Mailbox or mail list information. */
  readonly MINFO: MinfoData;
  /** Mail exchange. */
  readonly MX: MxData;
  /** Text. */
  readonly TXT: TextData;
  /** Responsible person. */
  readonly RP: RpData;
  /** AFS data base. */
  readonly AFSDB: AfsdbData;
  /** X.25 PSDN address. */
  readonly X25: X25Data;
  /** ISDN address. */
  readonly ISDN: IsdnData;
  /** Route through. */
  readonly RT: RtData;
  /** Name of an NSAP address. */
  readonly "NSAP-PTR": TargetData;
  /** Signature, before RRSIG and for transactions. */
  readonly SIG: RrsigData;
  /** Key, before DNSKEY. */
  readonly KEY: DnskeyData;
  /** X.400 mail mapping. */
  readonly PX: PxData;
  /** Geographical position. */
  readonly GPOS: GposData;
  /** IPv6 address. */
  readonly AAAA: AddressData;
  /** Location. */
  readonly LOC: LocData;
  /** Server selection. */
  readonly SRV: SrvData;
  /** Naming authority pointer. */
  readonly NAPTR: NaptrData;
  /** Key exchanger. */
  readonly KX: KxData;
  /** Certificate. */
  readonly CERT: CertData;
  /** Alias of a whole subtree. */
  readonly DNAME: TargetData;
  /** EDNS; its options are decoded with the message, here they are bytes. */
  readonly OPT: OpaqueData;
  /** Address prefix list. */
  readonly APL: AplData;
  /** Delegation signer. */
  readonly DS: DsData;
  /** SSH key fingerprint. */
  readonly SSHFP: SshfpData;
  /** IPsec key. */
  readonly IPSECKEY: IpseckeyData;
  /** DNSSEC signature. */
  readonly RRSIG: RrsigData;
  /** Next secure name. */
  readonly NSEC: NsecData;
  /** DNSSEC key. */
  readonly DNSKEY: DnskeyData;
  /** DHCP identifier. */
  readonly DHCID: DhcidData;
  /** Next secure hashed name. */
  readonly NSEC3: Nsec3Data;
  /** Parameters of NSEC3. */
  readonly NSEC3PARAM: Nsec3ParamData;
  /** TLS certificate association. */
  readonly TLSA: TlsaData;
  /** S/MIME certificate association. */
  readonly SMIMEA: TlsaData;
  /** Host identity protocol. */
  readonly HIP: HipData;
  /** Zone status information. */
  readonly NINFO: TextData;
  /** DS the child wants. */
  readonly CDS: DsData;
  /** DNSKEY the child wants a DS for. */
  readonly CDNSKEY: DnskeyData;
  /** OpenPGP key. */
  readonly OPENPGPKEY: OpenpgpkeyData;
  /** Child-to-parent synchronisation. */
  readonly CSYNC: CsyncData;
  /** Digest of the zone. */
  readonly ZONEMD: ZonemdData;
  /** Service binding. */
  readonly SVCB: SvcbData;
  /** Service binding of HTTP. */
  readonly HTTPS: SvcbData;
  /** Where to tell that a delegation changed. */
  readonly DSYNC: DsyncData;
  /** Hierarchical host identity tag. */
  readonly HHIT: DripData;
  /** Broadcast remote identification. */
  readonly BRID: DripData;
  /** Sender policy, obsolete. */
  readonly SPF: TextData;
  /** ILNP node identifier. */
  readonly NID: NidData;
  /** ILNP locator of 32 bits. */
  readonly L32: L32Data;
  /** ILNP locator of 64 bits. */
  readonly L64: L64Data;
  /** ILNP name of locators. */
  readonly LP: LpData;
  /** Address of 48 bits. */
  readonly EUI48: EuiData;
  /** Address of 64 bits. */
  readonly EUI64: EuiData;
  /** Transaction key. */
  readonly TKEY: TkeyData;
  /** Transaction signature. */
  readonly TSIG: TsigData;
  /** Uniform resource identifier. */
  readonly URI: UriData;
  /** Certification authority authorisation. */
  readonly CAA: CaaData;
  /** Application visibility and control. */
  readonly AVC: TextData;
  /** Multicast relay. */
  readonly AMTRELAY: AmtrelayData;
  /** Resolver information. */
  readonly RESINFO: TextData;
  /** Public wallet address. */
  readonly WALLET: TextData;
  /** Lookaside validation, obsolete. */
  readonly DLV: DsData;
  /** Any other type. */
  readonly [type: `TYPE${number}`]: OpaqueData;
}

/** Data of a record of any type. */
export type RecordData = RecordDataMap[keyof RecordDataMap];
