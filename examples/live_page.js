const SPAN_MS = 120_000;
const HEIGHT = 176;
const PAD = { top: 10, right: 6, bottom: 20, left: 56 };
const SVG = "http://www.w3.org/2000/svg";

let samples = [];

/** 1234567 as "1.2 M"; bytes as "1.2 MiB". */
function format(value, unit) {
  const step = unit === "bytes" ? 1024 : 1000;
  const names = unit === "bytes" ? ["B", "KiB", "MiB", "GiB"] : ["", "k", "M", "G"];
  let power = 0;
  while (value >= step && power < names.length - 1) {
    value /= step;
    power++;
  }
  const digits = power === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${names[power]}`.trim();
}

/** The next number that is easy to read, and whose half is. */
function niceCeiling(value, unit) {
  const base = unit === "bytes" ? 1024 ** Math.floor(Math.log(value) / Math.log(1024)) : 1;
  const scaled = value / base;
  const power = 10 ** Math.floor(Math.log10(scaled));
  const factor = [1, 2, 4, 6, 10].find((each) => each * power >= scaled);
  return factor * power * base;
}

function make(name, attributes, text) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

class Chart {
  constructor(section) {
    this.field = section.dataset.field;
    this.unit = section.dataset.unit;
    this.value = section.querySelector(".value");
    this.svg = section.querySelector("svg");
    this.pointerX = undefined;
    this.svg.addEventListener("pointermove", (event) => {
      this.pointerX = event.clientX - this.svg.getBoundingClientRect().left;
      this.draw();
    });
    this.svg.addEventListener("pointerleave", () => {
      this.pointerX = undefined;
      this.draw();
    });
  }

  draw() {
    const width = this.svg.clientWidth;
    const last = samples.at(-1);
    if (last === undefined || width === 0) return;
    const end = last.at;
    const most = Math.max(...samples.map((sample) => sample[this.field]));
    const top = niceCeiling(Math.max(most * 1.05, 4), this.unit);
    const toX = (at) => PAD.left + (1 - (end - at) / SPAN_MS) * (width - PAD.left - PAD.right);
    const toY = (value) => PAD.top + (1 - value / top) * (HEIGHT - PAD.top - PAD.bottom);
    const points = samples.map((sample) => [toX(sample.at), toY(sample[this.field])]);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.replaceChildren(
      ...this.drawGrid(width, top, toY, toX, end),
      ...this.drawLine(points, toY(0)),
      ...this.drawMark(points, toY(0)),
    );
  }

  drawGrid(width, top, toY, toX, end) {
    const parts = [];
    for (const share of [0, 0.5, 1]) {
      const y = toY(top * share);
      parts.push(
        make("line", { class: "grid", x1: PAD.left, x2: width - PAD.right, y1: y, y2: y }),
      );
      const label = format(top * share, this.unit);
      parts.push(
        make("text", { class: "label", x: PAD.left - 6, y: y + 4, "text-anchor": "end" }, label),
      );
    }
    for (const [secondsAgo, text] of [[120, "2 min ago"], [60, "1 min"], [0, "now"]]) {
      const anchor = secondsAgo === 120 ? "start" : secondsAgo === 0 ? "end" : "middle";
      const x = toX(end - secondsAgo * 1000);
      parts.push(make("text", { class: "label", x, y: HEIGHT - 4, "text-anchor": anchor }, text));
    }
    return parts;
  }

  drawLine(points, bottom) {
    const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(" L");
    const area = `M${points[0][0].toFixed(1)},${bottom} L${line} L${
      points.at(-1)[0].toFixed(1)
    },${bottom} Z`;
    return [
      make("path", { class: "area", d: area }),
      make("path", { class: "stroke", d: `M${line}` }),
    ];
  }

  /** The newest sample, or the one that is pointed at. */
  drawMark(points, bottom) {
    let index = samples.length - 1;
    if (this.pointerX !== undefined) {
      const distances = points.map(([x]) => Math.abs(x - this.pointerX));
      index = distances.indexOf(Math.min(...distances));
    }
    const [x, y] = points[index];
    const sample = samples[index];
    const note = document.createElement("small");
    const peak = Math.max(...samples.map((each) => each[this.field]));
    note.textContent = this.pointerX === undefined
      ? `peak ${format(peak, this.unit)}`
      : new Date(sample.at).toLocaleTimeString();
    this.value.replaceChildren(format(sample[this.field], this.unit), note);
    const mark = make("g", { class: "mark" });
    if (this.pointerX !== undefined) {
      mark.append(make("line", { x1: x, x2: x, y1: PAD.top, y2: bottom }));
    }
    mark.append(make("circle", { cx: x, cy: y, r: 4 }));
    return [mark];
  }
}

const charts = [...document.querySelectorAll(".chart")].map((section) => new Chart(section));

function drawAll() {
  for (const chart of charts) chart.draw();
}

/** Samples come in order, but some may come again. */
function add(news) {
  const newest = samples.at(-1)?.at ?? 0;
  samples.push(...news.filter((sample) => sample.at > newest));
  const end = samples.at(-1)?.at ?? 0;
  samples = samples.filter((sample) => sample.at >= end - SPAN_MS);
  drawAll();
}

function show(state, text) {
  const element = document.querySelector("#state");
  element.dataset.state = state;
  element.textContent = text;
}

const source = new EventSource("/events");
source.addEventListener("open", () => show("live", "live"));
source.addEventListener("error", () => show("away", "connection lost, trying again"));
source.addEventListener("history", (event) => add(JSON.parse(event.data)));
source.addEventListener("sample", (event) => add([JSON.parse(event.data)]));
addEventListener("resize", drawAll);
