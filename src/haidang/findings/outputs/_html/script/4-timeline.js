// The time line: a histogram stacked by level, the hosts as lanes below it, and a brush that chooses a range.

const line = {
  from: 0, // extent, ms
  to: 1,
  bin: 1000,
  bins: 1,
  left: 0,
  width: 1,
  height: 0,
  counts: null, // bins × levels
  lanes: [], // {label, host, cells}
  drag: null,
  cursor: null, // [anchor bin, bin] of the keyboard
};

const STEPS = [
  1, 10, 100, 1000, 2000, 5000, 10000, 15000, 30000, 60000, 120000, 300000, 600000, 900000, 1800000, 3600000, 7200000,
  10800000, 21600000, 43200000, 86400000, 172800000, 604800000, 1209600000, 2592000000, 7776000000, 31536000000,
];
const LANES = 6;
const LANE = 17;
const BARS = 96;
const AXIS = 18;

function wholeTime() {
  let [from, to] = [Infinity, -Infinity];
  for (const ms of store.time) {
    if (ms < from) from = ms;
    if (ms > to) to = ms;
  }
  return [from, to];
}

function setExtent(from, to) {
  line.zoomed = from !== undefined;
  [line.from, line.to] = line.zoomed ? [from, to] : line.whole || [0, 1];
}

function layBins() {
  const want = Math.max(20, Math.min(180, Math.floor(line.width / 6)));
  const length = Math.max(1, line.to - line.from);
  line.bin = STEPS.find((step) => length / step <= want) || STEPS[STEPS.length - 1] * Math.ceil(length / STEPS[STEPS.length - 1] / want);
  line.origin = Math.floor(line.from / line.bin) * line.bin;
  line.bins = Math.max(1, Math.floor((line.to - line.origin) / line.bin) + 1);
}

function fillBins() {
  const { bins, bin, origin } = line;
  const kinds = levelNames.length + 1;
  line.counts = new Uint32Array(bins * kinds);
  const lanes = laneHosts();
  line.lanes = lanes.map(([label, host]) => ({ label, host, worst: new Uint8Array(bins).fill(kinds), n: new Uint32Array(bins), total: 0 }));
  const laneOf = new Int16Array(store.hosts.length).fill(-1);
  lanes.forEach(([, host], i) => { if (host >= 0) laneOf[host] = i; });
  const rest = lanes.findIndex(([, host]) => host < 0);
  const levelOf = store.level;
  for (let i = 0; i < store.n; i += 1) {
    if (view.mask[i] !== 0 && view.mask[i] !== TIME) continue;
    const slot = Math.floor((store.time[i] - origin) / bin);
    if (!(slot >= 0 && slot < bins)) continue;
    const level = levelOf[store.rule[i]];
    line.counts[slot * kinds + level] += 1;
    let lane = laneOf[store.host[i]];
    if (lane < 0) lane = rest;
    if (lane < 0) continue;
    const cells = line.lanes[lane];
    cells.n[slot] += 1;
    cells.total += 1;
    if (level < cells.worst[slot]) cells.worst[slot] = level;
  }
}

/** The hosts with the gravest findings, then one lane for all others; the choice does not follow the filters. */
function laneHosts() {
  if (!line.order) {
    const weights = [1e9, 1e6, 1e3, 1, 1e-3, 1e-4];
    const weight = new Float64Array(store.hosts.length);
    for (let i = 0; i < store.n; i += 1) weight[store.host[i]] += weights[store.level[store.rule[i]]];
    line.order = store.hosts.map((name, i) => i).sort((a, b) => weight[b] - weight[a]);
  }
  const few = window.innerWidth < 700 ? 4 : LANES;
  const top = line.order.length <= few + 1 ? line.order : line.order.slice(0, few);
  const lanes = top.map((i) => [store.hosts[i] ? plain(store.hosts[i]) : _("no host"), i]);
  if (top.length < line.order.length) {
    lanes.push([_n("{n} other host", "{n} other hosts", line.order.length - top.length), -1]);
  }
  return lanes;
}

function colours() {
  const style = getComputedStyle(root);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    levels: [0, 1, 2, 3, 4, 5].map((i) => of(`--l${i}`)),
    text: of("--dim"),
    rule: of("--edge"),
    veil: of("--veil"),
    accent: of("--accent"),
    lane: of("--lane"),
  };
}

function drawTime() {
  const canvas = $("time");
  $("time-card").hidden = !line.whole;
  if (!line.whole) return;
  const box = canvas.parentElement.getBoundingClientRect();
  if (!box.width) return;
  line.left = window.innerWidth < 700 ? 84 : 148;
  line.width = Math.max(50, box.width - line.left - 8);
  layBins();
  fillBins();
  line.height = BARS + AXIS + line.lanes.length * LANE + 4;
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(box.width * ratio);
  canvas.height = Math.round(line.height * ratio);
  canvas.style.height = `${line.height}px`;
  const c = canvas.getContext("2d");
  c.scale(ratio, ratio);
  c.font = `11px ${getComputedStyle(document.body).fontFamily}`;
  const ink = colours();
  drawBars(c, ink);
  drawAxis(c, ink);
  drawLanes(c, ink);
  drawBrush(c, ink);
  canvas.setAttribute("aria-label", _("{n} findings between {from} and {to} UTC", {
    n: number(view.counts.shown), from: moment(line.from), to: moment(line.to),
  }));
}

const xOf = (ms) => line.left + ((ms - line.origin) / (line.bins * line.bin)) * line.width;

function drawBars(c, ink) {
  const kinds = levelNames.length + 1;
  let top = 1;
  for (let b = 0; b < line.bins; b += 1) {
    let sum = 0;
    for (let k = 0; k < kinds; k += 1) sum += line.counts[b * kinds + k];
    top = Math.max(top, sum);
  }
  c.fillStyle = ink.text;
  c.textAlign = "right";
  c.textBaseline = "top";
  c.fillText(number(top), line.left - 8, 6);
  c.textBaseline = "alphabetic";
  c.fillText("0", line.left - 8, BARS);
  c.fillStyle = ink.rule;
  for (const y of [8, Math.round((BARS + 8) / 2), BARS]) c.fillRect(line.left, y, line.width, 1);
  const wide = line.width / line.bins;
  const gap = wide > 4 ? 1 : 0;
  for (let b = 0; b < line.bins; b += 1) {
    let y = BARS;
    for (let k = 0; k < kinds; k += 1) {
      const n = line.counts[b * kinds + k];
      if (!n) continue;
      // A single grave finding among thousands of slight ones keeps a visible foot.
      const tall = Math.max(k < 2 ? 3 : 1.5, (n / top) * (BARS - 10));
      c.fillStyle = ink.levels[k];
      c.fillRect(line.left + b * wide, Math.max(4, y - tall), Math.max(1.5, wide - gap), tall);
      y -= tall;
    }
  }
}

function tickLabel(ms, step) {
  if (step >= 86400000) return day(ms);
  if (ms % 86400000 === 0) return day(ms);
  if (step < 1000) return `${clock(ms)}.${String(ms % 1000).padStart(3, "0")}`;
  return clock(ms, step < 60000 ? 3 : 2);
}

function drawAxis(c, ink) {
  const length = line.bins * line.bin;
  const step = STEPS.find((s) => (line.width * s) / length >= 92) || length;
  c.textAlign = "center";
  c.textBaseline = "top";
  let last = -Infinity;
  for (let ms = Math.ceil(line.origin / step) * step; ms <= line.origin + length; ms += step) {
    const x = xOf(ms);
    c.fillStyle = ink.rule;
    c.fillRect(Math.round(x), BARS, 1, 4);
    const label = tickLabel(ms, step);
    const half = c.measureText(label).width / 2;
    const at = Math.min(Math.max(x, line.left + half), line.left + line.width - half);
    if (at - half < last + 10) continue;
    c.fillStyle = ink.text;
    c.fillText(label, at, BARS + 5);
    last = at + half;
  }
}

function short(c, text, width) {
  if (c.measureText(text).width <= width) return text;
  let end = text.length;
  while (end > 1 && c.measureText(`${text.slice(0, end)}…`).width > width) end -= 1;
  return `${text.slice(0, end)}…`;
}

function drawLanes(c, ink) {
  const wide = line.width / line.bins;
  const most = Math.max(1, ...line.lanes.map((lane) => Math.max(...lane.n)));
  line.lanes.forEach((lane, i) => {
    const y = BARS + AXIS + 4 + i * LANE;
    c.globalAlpha = chosen.host.size && !chosen.host.has(lane.host) ? 0.45 : 1;
    c.fillStyle = ink.text;
    c.textAlign = "right";
    c.textBaseline = "middle";
    c.fillText(short(c, lane.label, line.left - 12), line.left - 8, y + LANE / 2 - 1);
    c.fillStyle = ink.lane;
    c.fillRect(line.left, y, line.width, LANE - 3);
    for (let b = 0; b < line.bins; b += 1) {
      if (!lane.n[b]) continue;
      c.fillStyle = ink.levels[lane.worst[b]];
      c.globalAlpha = 0.55 + 0.45 * (Math.log1p(lane.n[b]) / Math.log1p(most));
      c.fillRect(line.left + b * wide, y, Math.max(2, wide - (wide > 4 ? 1 : 0)), LANE - 3);
    }
    c.globalAlpha = 1;
  });
}

function drawBrush(c, ink) {
  let range = chosen.from === null ? null : [chosen.from, chosen.to];
  if (line.drag) range = line.drag;
  if (line.cursor) {
    const [a, b] = line.cursor;
    range = [line.origin + Math.min(a, b) * line.bin, line.origin + (Math.max(a, b) + 1) * line.bin];
  }
  if (!range) return;
  const end = line.left + line.width;
  const a = Math.min(end, Math.max(line.left, xOf(Math.min(...range))));
  const b = Math.max(line.left, Math.min(end, xOf(Math.max(...range))));
  c.fillStyle = ink.veil;
  c.fillRect(line.left, 2, a - line.left, line.height);
  c.fillRect(b, 2, end - b, line.height);
  c.fillStyle = ink.accent;
  c.fillRect(a, 2, 1.5, line.height - 4);
  c.fillRect(b - 1.5, 2, 1.5, line.height - 4);
  c.fillRect(a, 2, b - a, 2);
}

function chooseRange(from, to) {
  chosen.from = from;
  chosen.to = to;
  changed();
}

function timeAt(event) {
  const x = event.clientX - $("time").getBoundingClientRect().left - line.left;
  return line.origin + Math.min(1, Math.max(0, x / line.width)) * line.bins * line.bin;
}

function laneAt(event) {
  const { left, top } = $("time").getBoundingClientRect();
  const i = Math.floor((event.clientY - top - BARS - AXIS - 4) / LANE);
  return event.clientX - left < line.left && i >= 0 ? line.lanes[i] : undefined;
}

/** A drag chooses what it covers, whole bins; a click chooses one bin, or a host by its name. */
function endDrag(event) {
  const [a, b] = [Math.min(...line.drag), Math.max(...line.drag)];
  const moved = line.moved;
  line.drag = null;
  const bin = (ms) => Math.floor((ms - line.origin) / line.bin);
  if (moved) chooseRange(line.origin + bin(a) * line.bin, line.origin + (bin(b) + 1) * line.bin);
  else {
    const slot = Math.min(line.bins - 1, bin(timeAt(event)));
    chooseRange(line.origin + slot * line.bin, line.origin + (slot + 1) * line.bin);
  }
}

function showTip(event) {
  const tip = $("tip");
  const { left, top } = $("time").getBoundingClientRect();
  if (event.clientX - left < line.left) {
    tip.hidden = true;
    return;
  }
  const slot = Math.min(line.bins - 1, Math.floor((timeAt(event) - line.origin) / line.bin));
  const from = line.origin + slot * line.bin;
  const kinds = levelNames.length + 1;
  const items = [];
  for (let k = 0; k < kinds; k += 1) {
    const n = line.counts[slot * kinds + k];
    if (n) items.push(h("div", {}, h(`i.dot.${levelClass(k)}`), ` ${levelWord(k)} `, h("b", {}, number(n))));
  }
  fill(tip, h("div.dim", {}, line.bin < 1000 ? moment(from) : span(from, from + line.bin - 1, line.bin < 60000 ? 3 : 2)), items);
  tip.hidden = false;
  const x = event.clientX - left;
  tip.style.left = `${Math.min(x + 14, line.left + line.width - tip.offsetWidth)}px`;
  tip.style.top = `${Math.max(0, event.clientY - top - tip.offsetHeight - 10)}px`;
}

function timeKeys(event) {
  const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (move) {
    const [a, b] = line.cursor || [-1, move > 0 ? -1 : line.bins];
    const next = Math.min(line.bins - 1, Math.max(0, b + move));
    line.cursor = event.shiftKey && a >= 0 ? [a, next] : [next, next];
    const [from, to] = [Math.min(...line.cursor), Math.max(...line.cursor)];
    say(span(line.origin + from * line.bin, line.origin + (to + 1) * line.bin - 1, 3));
  } else if (event.key === "Enter" && line.cursor) {
    const [from, to] = [Math.min(...line.cursor), Math.max(...line.cursor)];
    line.cursor = null;
    chooseRange(line.origin + from * line.bin, line.origin + (to + 1) * line.bin);
  } else if (event.key === "Escape" && (line.cursor || chosen.from !== null)) {
    line.cursor = null;
    if (chosen.from !== null) chooseRange(null, null);
  } else return;
  event.preventDefault();
  event.stopPropagation();
  drawTime();
}

function startTime() {
  const [from, to] = wholeTime();
  // A single moment has no width; a minute around it has.
  const pad = to - from < 60000 ? 30000 : 0;
  line.whole = from <= to ? [from - pad, to + pad] : null;
  setExtent();
  const canvas = $("time");
  canvas.addEventListener("pointerdown", (event) => {
    if (event.button) return;
    const lane = laneAt(event);
    if (lane) {
      if (lane.host >= 0) toggle("host", lane.host);
      return;
    }
    canvas.setPointerCapture(event.pointerId);
    line.cursor = null;
    line.moved = false;
    line.drag = [timeAt(event), timeAt(event)];
    line.startX = event.clientX;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (line.drag) {
      line.moved = line.moved || Math.abs(event.clientX - line.startX) > 3;
      line.drag[1] = timeAt(event);
      if (line.moved) requestAnimationFrame(drawTime);
    }
    showTip(event);
  });
  canvas.addEventListener("pointerup", (event) => { if (line.drag) endDrag(event); });
  canvas.addEventListener("pointercancel", () => { line.drag = null; drawTime(); });
  canvas.addEventListener("pointerleave", () => { $("tip").hidden = true; });
  canvas.addEventListener("keydown", timeKeys);
  canvas.addEventListener("blur", () => { if (line.cursor) { line.cursor = null; drawTime(); } });
  $("untime").addEventListener("click", () => chooseRange(null, null));
  $("zoom").addEventListener("click", () => { setExtent(chosen.from, chosen.to - 1); changed(); });
  $("unzoom").addEventListener("click", () => { setExtent(); changed(); });
  new ResizeObserver(() => requestAnimationFrame(drawTime)).observe(canvas.parentElement);
}

function showTime() {
  const ranged = chosen.from !== null;
  $("time-range").textContent = ranged ? `${span(chosen.from, chosen.to, 3)} UTC` : "";
  $("untime").hidden = !ranged;
  $("zoom").hidden = !ranged || (chosen.from <= line.from && chosen.to > line.to);
  $("unzoom").hidden = !line.zoomed;
  let timeless = 0;
  for (let i = 0; i < store.n; i += 1) if (Number.isNaN(store.time[i])) timeless += 1;
  $("time-note").textContent = timeless ? _n("{n} finding has no time", "{n} findings have no time", timeless) : "";
  drawTime();
}
