import { testRdata } from "./rdata_rows.ts";

testRdata("IPSECKEY", [
  { text: "10 0 2 . AAEC", hex: "0a 00 02 000102" },
  { text: "10 1 2 192.0.2.38 AAEC", hex: "0a 01 02 c0000226 000102" },
  { text: "10 2 2 2001:db8::1 AAEC", hex: "0a 02 02 20010db8000000000000000000000001 000102" },
  { text: "10 3 2 a.b. AAEC", hex: "0a 03 02 0161016200 000102" },
  { text: "10 3 0 .", hex: "0a 03 00 00" },
], {
  text: {
    "no gateway": "10 0 2",
    "a gateway where there is none": "10 0 2 a. AAEC",
    "a gateway of the wrong family": "10 2 2 192.0.2.38 AAEC",
    "an unknown type of gateway": "10 4 2 . AAEC",
  },
  wire: { "two bytes": "0a00", "half an address": "0a0102c000", "an unknown type": "0a0402" },
  data: {
    "a gateway where there is none": gateway(0, "a."),
    "a gateway of the wrong family": gateway(1, "::1"),
    "an unknown type": gateway(4, "."),
    "half a type": gateway(0.5, "."),
  },
});

function gateway(gatewayType: number, gateway: string): unknown {
  return { precedence: 1, gatewayType, algorithm: 0, gateway, publicKey: new Uint8Array(0) };
}

testRdata("AMTRELAY", [
  { text: "10 0 0 .", hex: "0a 00" },
  { text: "10 1 0 .", hex: "0a 80" },
  { text: "10 0 1 203.0.113.15", hex: "0a 01 cb00710f" },
  { text: "10 1 2 2001:db8::15", hex: "0a 82 20010db8000000000000000000000015" },
  {
    text: "128 1 3 amtrelays.example.com.",
    hex: "80 83 09616d7472656c617973076578616d706c6503636f6d00",
  },
], {
  text: { "no relay": "10 0 0", "a flag of 2": "10 2 0 .", "an unknown type": "10 0 4 ." },
  wire: { "one byte": "0a", "an unknown type": "0a04", "a relay where there is none": "0a0000" },
  data: { "an unknown type": { precedence: 1, discoveryOptional: true, relayType: 9, relay: "." } },
});

testRdata("HIP", [
  {
    text: "2 200100107B1A74DF365639CC39F1D578 AAEC",
    hex: "10 02 0003 200100107b1a74df365639cc39f1d578 000102",
  },
  { text: "2 00 AAEC a. b.", hex: "01 02 0003 00 000102 016100 016200" },
], {
  text: {
    "no key": "2 00",
    "a tag of no byte": '2 "" AAEC',
    "a tag of 256 bytes": `2 ${"00".repeat(256)} AAEC`,
    "a key that is no base64": "2 00 AAE",
    "a key with bits to spare": "2 00 AAF= ",
  },
  wire: {
    "no tag": "00 02 0003 000102",
    "no key": "01 02 0000 00",
    "a key beyond the end": "01 02 0004 00 000102",
    "half a server": "01 02 0001 00 00 0161",
  },
  data: {
    "no tag": host(0, 1),
    "a tag of 256 bytes": host(256, 1),
    "no key": host(1, 0),
    "a key of 65536 bytes": host(1, 65_536),
  },
});

function host(hitBytes: number, keyBytes: number): unknown {
  return {
    publicKeyAlgorithm: 1,
    hit: new Uint8Array(hitBytes),
    publicKey: new Uint8Array(keyBytes),
    rendezvousServers: [],
  };
}
