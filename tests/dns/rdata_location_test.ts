import { testRdata } from "./rdata_rows.ts";

const DEFAULTS = "1m 10000m 10m";

testRdata("LOC", [
  {
    // RFC 1876 section 4.
    text: "42 21 54 N 71 06 18 W -24m 30m",
    hex: "00331613 89172dd0 70be15f0 00988d20",
    printed: "42 21 54.000 N 71 6 18.000 W -24.00m 30m 10000m 10m",
  },
  {
    text: "32 7 19 S 116 2 25 E 10m",
    hex: "00121613 791b7d28 98e64868 00989a68",
    printed: `32 7 19.000 S 116 2 25.000 E 10.00m ${DEFAULTS}`,
  },
  {
    text: "0 s 0 w 0",
    hex: "00121613 80000000 80000000 00989680",
    printed: `0 0 0.000 N 0 0 0.000 E 0.00m ${DEFAULTS}`,
  },
  {
    text: "90 N 180 E 42849672.95m 90000000m 0 0.5m",
    hex: "00990051 934fd900 a69fb200 ffffffff",
    printed: "90 0 0.000 N 180 0 0.000 E 42849672.95m 90000000m 0.00m 0.50m",
  },
  {
    text: "90 S 180 W -100000m 45m 1.99m 0.09m",
    hex: "00431290 6cb02700 59604e00 00000000",
    printed: "90 0 0.000 S 180 0 0.000 W -100000.00m 40m 1m 0.09m",
  },
  {
    text: "0 0 0.001 N 0 0 59.9 E 0.1",
    hex: "00121613 80000001 8000e9fc 0098968a",
    printed: `0 0 0.001 N 0 0 59.900 E 0.10m ${DEFAULTS}`,
  },
], {
  text: {
    "nothing": "",
    "no hemisphere": "0 0 0 0 0 0 E 0",
    "a word as hemisphere": "0 South 0 West 0",
    "longitude before latitude": "0 E 0 N 0",
    "91 degrees north": "91 N 0 E 0",
    "a second beyond the pole": "90 0 1 N 0 E 0",
    "a minute beyond 180 degrees": "0 N 180 1 E 0",
    "60 minutes": "0 60 N 0 E 0",
    "60 seconds": "0 0 60 N 0 E 0",
    "four decimals of a second": "0 0 0.0001 N 0 E 0",
    "a point without digits": "0 0 0. N 0 E 0",
    "no altitude": "0 N 0 E",
    "three decimals of a metre": "0 N 0 E 0.001",
    "an altitude too low": "0 N 0 E -100000.01m",
    "an altitude too high": "0 N 0 E 42849672.96m",
    "a negative size": "0 N 0 E 0 -1m",
    "a size too large": "0 N 0 E 0 90000000.01m",
    "a unit twice": "0 N 0 E 0mm",
    "a fourth size": "0 N 0 E 0 1m 1m 1m 1m",
  },
  wire: {
    "version 1": "01121613 80000000 80000000 00989680",
    "a digit above 9": "00a21613 80000000 80000000 00989680",
    "ten zeros": "001a1613 80000000 80000000 00989680",
    "zero with zeros": "00011613 80000000 80000000 00989680",
    "a latitude too far north": "00121613 934fd901 80000000 00989680",
    "a longitude too far west": "00121613 80000000 59604dff 00989680",
    "fifteen bytes": "00121613 80000000 80000000 009896",
  },
  data: {
    "a size of two digits": { ...location(), sizeCm: 11 },
    "a size too large": { ...location(), sizeCm: 10 ** 10 },
    "a size of no number": { ...location(), sizeCm: NaN },
    "a latitude too large": { ...location(), latitudeMas: 324_000_001 },
    "a longitude of no number": { ...location(), longitudeMas: NaN },
    "an altitude too low": { ...location(), altitudeCm: -10_000_001 },
    "half a centimetre": { ...location(), altitudeCm: 0.5 },
  },
});

function location(): Record<string, number> {
  return {
    sizeCm: 100,
    horizontalPrecisionCm: 100,
    verticalPrecisionCm: 100,
    latitudeMas: 0,
    longitudeMas: 0,
    altitudeCm: 0,
  };
}
