// Which part of a value satisfied a test, found again from the words of the test: endswith '\mimikatz.exe'.
// Only literals are looked for; a regular expression of a rule is never run on a value of a log here, because
// a browser cannot stop one that takes for ever. Where one matched was noted when the page was written.

/** [operator, literal or null] of the words of a test. */
function testParts(test) {
  const quoted = /^(.*?)\s*'([\s\S]*)'\s*\S*$/.exec(test);
  if (quoted) return [quoted[1].toLowerCase(), quoted[2]];
  const bare = /^(\S+)\s+([\s\S]+)$/.exec(test);
  return bare ? [bare[1].toLowerCase(), bare[2]] : [test.toLowerCase(), null];
}

/** The literal pieces between wildcards where a backslash before \, * or ? is an escape. */
function escapedPieces(literal) {
  const out = [""];
  for (let i = 0; i < literal.length; i += 1) {
    const c = literal[i];
    if (c === "\\" && "\\*?".includes(literal[i + 1] || "-")) out[out.length - 1] += literal[(i += 1)];
    else if (c === "*" || c === "?") out.push("");
    else out[out.length - 1] += c;
  }
  return out.filter((piece) => piece);
}

function find(text, operator, literal) {
  if (!literal) return null;
  if (operator.startsWith("endswith")) return text.endsWith(literal) ? text.length - literal.length : -1;
  if (operator.startsWith("startswith")) return text.startsWith(literal) ? 0 : -1;
  return text.indexOf(literal);
}

/** Ranges [start, end) of `text` that the test speaks of; null where the whole value is meant. */
function marksOf(text, [, , test, range]) {
  if (range) return [range];
  const [operator, literal] = testParts(test);
  const low = text.toLowerCase();
  // Where lower case has another length, places would not fit.
  if (literal === null || low.length !== text.length || /^(re|regex|cidr|[<>=!]|lt|gt|ne)/.test(operator)) return null;
  for (const candidate of [literal, literal.replaceAll("\\\\", "\\")]) {
    const at = find(low, operator, candidate.toLowerCase());
    if (at !== null && at >= 0) return [[at, at + candidate.length]];
  }
  return inOrder(low, literal.split(/[*?]+/)) || inOrder(low, escapedPieces(literal));
}

function inOrder(low, pieces) {
  const ranges = [];
  let from = 0;
  for (const piece of pieces.filter((text) => text)) {
    const at = low.indexOf(piece.toLowerCase(), from);
    if (at < 0) return null;
    ranges.push([at, at + piece.length]);
    from = at + piece.length;
  }
  return ranges.length ? ranges : null;
}

function merged(ranges) {
  const out = [];
  for (const [a, b] of [...ranges].sort((x, y) => x[0] - y[0])) {
    const last = out[out.length - 1];
    if (last && a <= last[1]) last[1] = Math.max(last[1], b);
    else out.push([a, b]);
  }
  return out;
}

/** A text as nodes with its ranges marked. */
function marked(text, ranges, lines) {
  const nodes = [];
  let at = 0;
  for (const [a, b] of merged(ranges)) {
    nodes.push(...shown(text.slice(at, a), lines), h("mark", {}, shown(text.slice(a, b), lines)));
    at = b;
  }
  nodes.push(...shown(text.slice(at), lines));
  return nodes;
}

const TELLING = ["CommandLine", "ScriptBlockText", "ParentCommandLine", "TargetObject", "Payload", "message", "proctitle", "uri", "query", "TargetFilename", "ImageLoaded", "Image"];

const DULL = new Set(["Channel", "Provider_Name", "EventID", "Level", "_path", "type", "program"]);

/** The most telling matched field first. */
function telling(matched) {
  const rank = ([field, value]) => {
    const at = TELLING.indexOf(field);
    return at >= 0 ? at : typeof value === "string" ? 50 - Math.min(9, value.length / 20) : 99;
  };
  return [...matched].sort((a, b) => rank(a) - rank(b));
}

/** One line of evidence: field and the part of its value around what matched. */
function snippet(item, most = 3) {
  const seen = new Set();
  const nodes = [];
  // Numbers and names of channels are in nearly every rule; they tell nothing beside a text.
  const texts = item.matched.filter(([field, value]) => typeof value === "string" && !DULL.has(field) && value.length > 3);
  for (const [field, value] of telling(texts.length ? texts : item.matched)) {
    const text = valueText(value);
    const key = `${field} ${text}`;
    if (seen.has(key)) continue;
    seen.add(key);
    if (seen.size > most) break;
    const ranges = item.matched.filter((m) => m[0] === field && valueText(m[1]) === text).flatMap((m) => marksOf(text, m) || []);
    nodes.push(h("span.ev", {}, field ? h("span.ef", {}, `${plain(field)} `) : null, h("bdi", {}, near(text, ranges))));
  }
  if (item.group) {
    for (const [field, value] of Object.entries(item.group)) {
      if (seen.has(`${field} ${valueText(value)}`)) continue;
      nodes.push(h("span.ev", {}, h("span.ef", {}, `${plain(field)} `), h("bdi", {}, shown(valueText(value)))));
    }
  }
  if (item.count > 1) nodes.unshift(h("span.ev.count", {}, _n("{n} event", "{n} events", item.count)));
  return nodes;
}

function near(text, ranges) {
  const [first, end] = ranges.length ? ranges.reduce((a, b) => (b[0] < a[0] ? b : a)) : [0, 0];
  const narrow = chosen.open >= 0 || innerWidth < 700;
  // How many characters are sure to be seen, and how many of them may stand before what matched.
  const [room, lead] = narrow ? [16, 6] : [36, 16];
  const from = Math.min(end, first + room) > room ? Math.max(0, first - lead) : 0;
  const to = Math.min(text.length, from + 260);
  const cut = ranges.filter(([a]) => a < to).map(([a, b]) => [a - from, Math.min(b, to) - from]).filter(([a, b]) => b > a && a >= 0);
  return [from ? "…" : null, ...marked(text.slice(from, to), cut, false), to < text.length ? "…" : null];
}
