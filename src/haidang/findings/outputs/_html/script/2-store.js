// The findings: blocks of compressed text are unpacked once into columns (for filters) and text (for the
// evidence, decoded when it is shown, and for the search).

const store = {
  n: 0,
  rules: [],
  said: [], // by rule: {title, description, advice} in the language of the page
  names: [], // of hosts, as the events say them
  machine: [], // by name
  hosts: [], // machines, by the name that most findings have
  files: [],
  origins: [],
  users: [], // as the events say them; case does not tell them apart
  userSets: [], // lists of users that one event names
  processes: [], // GUIDs, or # and the number
  blocks: [], // {text, base, starts, lower}
  rule: null,
  named: null,
  host: null,
  file: null,
  origin: null,
  userSet: null,
  process: null,
  time: null,
  level: null, // by rule
};

function fromBase64(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const binary = atob(text);
  const data = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; i += 1) data[i] = binary.charCodeAt(i);
  return data;
}

function inflate(data) {
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).text();
}

function tableOf(list) {
  const numbers = new Map();
  return (name) => {
    let number = numbers.get(name);
    if (number === undefined) {
      number = list.length;
      numbers.set(name, number);
      list.push(name);
    }
    return number;
  };
}

const numberOfName = tableOf(store.names);
const numberOfFile = tableOf(store.files);
const numberOfOrigin = tableOf(store.origins);
const numberOfSet = tableOf(store.userSets);
const numberOfProcess = tableOf(store.processes);

function takeBlock(text, parts) {
  const end = text.indexOf("\n");
  const columns = JSON.parse(text.slice(0, end));
  const n = columns.rule.length;
  const starts = new Uint32Array(n + 1);
  let at = end + 1;
  for (let i = 0; i < n; i += 1) {
    starts[i] = at;
    const next = text.indexOf("\n", at);
    at = next < 0 ? text.length + 1 : next + 1;
  }
  starts[n] = at;
  store.rules.push(...columns.rules);
  const names = columns.hosts.map(numberOfName);
  const files = columns.files.map(numberOfFile);
  const origins = columns.origins.map(numberOfOrigin);
  const sets = columns.user_sets.map(numberOfSet);
  const processes = columns.processes.map(numberOfProcess);
  parts.push({
    rule: columns.rule,
    named: columns.host.map((i) => names[i]),
    file: columns.file.map((i) => files[i]),
    origin: columns.origin.map((i) => origins[i]),
    userSet: columns.users.map((i) => sets[i]),
    process: columns.process.map((i) => processes[i]),
    time: columns.time.map((ms) => (ms === null ? NaN : ms)),
  });
  store.blocks.push({ text, base: store.n, starts, tests: columns.tests, lower: null });
  store.n += n;
}

function joined(Type, parts, name) {
  const whole = new Type(store.n);
  let at = 0;
  for (const part of parts) {
    whole.set(part[name], at);
    at += part[name].length;
  }
  return whole;
}

/** Unpack all blocks; progress(share) is called between them. */
async function unpack(progress) {
  const elements = [...document.querySelectorAll("script.block")];
  const parts = [];
  for (const [i, element] of elements.entries()) {
    takeBlock(await inflate(fromBase64(element.textContent)), parts);
    // The packed text is not needed again; its memory is.
    element.remove();
    if (i % 4 === 3) progress((i + 1) / elements.length);
  }
  store.rule = joined(Uint32Array, parts, "rule");
  store.named = joined(Uint32Array, parts, "named");
  store.machine = machines();
  store.host = store.named.map((i) => store.machine[i]);
  store.file = joined(Uint32Array, parts, "file");
  store.origin = joined(Uint16Array, parts, "origin");
  store.userSet = joined(Uint32Array, parts, "userSet");
  store.process = joined(Uint32Array, parts, "process");
  store.userSets = namedUsers(store.userSets);
  store.time = joined(Float64Array, parts, "time");
  store.said = store.rules.map(saidBy);
  store.level = Uint8Array.from(store.rules, (rule) => levelRank(rule.level));
}

/** Sets of users as numbers; names that differ in case alone are one user. */
function namedUsers(sets) {
  const numbers = new Map();
  return sets.map((text) => [...new Set(JSON.parse(text).map((name) => {
    const key = name.toLowerCase();
    if (!numbers.has(key)) numbers.set(key, store.users.push(name) - 1);
    return numbers.get(key);
  }))]);
}

/** What a rule says in the language of the page; its own words where it has none in it. */
function saidBy(rule) {
  const key = rule.id || rule.title;
  const words = (Object.hasOwn(head.said, key) && head.said[key][head.lang]) || {};
  return { title: words.title || rule.title, description: words.description || rule.description, advice: words.advice || "" };
}

/** For each name the number of its machine; which names mean one machine, findings/hosts.py says. */
function machines() {
  const folded = store.names.map((name) => name.toLowerCase().replace(/\.$/, ""));
  const full = new Map();
  for (const name of folded) {
    if (!name.includes(".")) continue;
    const label = name.slice(0, name.indexOf("."));
    const first = /^\d+$|:/.test(label) ? name : label;
    full.set(first, (full.get(first) || new Set()).add(name));
  }
  const hits = new Uint32Array(store.names.length);
  for (const name of store.named) hits[name] += 1;
  const numberOfKey = tableOf([]);
  const best = [];
  const found = folded.map((name, i) => {
    const among = full.get(name);
    const number = numberOfKey(among && among.size === 1 ? [...among][0] : name);
    const other = best[number];
    if (other === undefined || hits[i] > hits[other] || (hits[i] === hits[other] && store.names[i] < store.names[other])) best[number] = i;
    return number;
  });
  for (const i of best) store.hosts.push(store.names[i]);
  return found;
}

function blockOf(row) {
  let low = 0;
  let high = store.blocks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (store.blocks[middle].base <= row) low = middle;
    else high = middle - 1;
  }
  return store.blocks[low];
}

const decoded = new Map();

/** The evidence of one row, kept for the next time unless keep is false: {id, time, record, event, matched, members, group, count, sources}. */
function evidence(row, keep = true) {
  let item = decoded.get(row);
  if (!item) {
    const block = blockOf(row);
    const i = row - block.base;
    const [id, time, record, event, looked, members, group, count, sources = []] = JSON.parse(
      block.text.slice(block.starts[i], block.starts[i + 1] - 1),
    );
    // A matched value that is in the event is not written twice.
    const matched = looked.map(([field, test, range, ...value]) => [field, value.length ? value[0] : event[field], block.tests[test], range]);
    item = { id, time, record, event, matched, members, group, count, sources };
    if (keep) {
      if (decoded.size > 500) decoded.clear();
      decoded.set(row, item);
    }
  }
  return item;
}

/** The row of a finding's id, or -1. Every line begins with its id. */
function rowOfId(id) {
  const needle = `[${JSON.stringify(id)},`;
  for (const block of store.blocks) {
    for (let at = block.text.indexOf(needle); at >= 0; at = block.text.indexOf(needle, at + 1)) {
      if (block.text[at - 1] === "\n") return block.base + lineAt(block, at);
    }
  }
  return -1;
}

function lineAt(block, offset) {
  let low = 0;
  let high = block.starts.length - 2;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (block.starts[middle] <= offset) low = middle;
    else high = middle - 1;
  }
  return low;
}

function lowered(block) {
  if (block.lower === null) {
    const lower = block.text.toLowerCase();
    // Lower case may be longer (İ); then line starts would be wrong, and each line is lowered by itself.
    block.lower = lower.length === block.text.length ? lower : sameLength(block.text);
  }
  return block.lower;
}

function sameLength(text) {
  let out = "";
  for (const c of text) {
    const lower = c.toLowerCase();
    out += lower.length === c.length ? lower : c;
  }
  return out;
}

/** Lower the texts while the reader looks at the page, so that the first search is as quick as the next. */
function prepareSearch(block = 0) {
  const idle = window.requestIdleCallback || ((f) => setTimeout(f, 30));
  if (block >= store.blocks.length) return;
  idle(() => {
    lowered(store.blocks[block]);
    prepareSearch(block + 1);
  });
}

const termMasks = new Map();

/** One byte a row: 1 where the row does not hold the term. */
function termMask(term) {
  let mask = termMasks.get(term);
  if (mask) return mask;
  mask = new Uint8Array(store.n).fill(1);
  const needle = JSON.stringify(term).slice(1, -1);
  for (const block of store.blocks) markLines(block, lowered(block), needle, mask);
  const has = (text) => text.toLowerCase().includes(term);
  const rules = store.rules.map((r, i) => has(r.title) || has(r.id) || r.tags.some(has) || has(r.description) || Object.values(store.said[i]).some(has));
  const names = store.names.map(has);
  const files = store.files.map(has);
  for (let i = 0; i < store.n; i += 1) {
    if (rules[store.rule[i]] || names[store.named[i]] || files[store.file[i]]) mask[i] = 0;
  }
  if (termMasks.size > 16) termMasks.clear();
  termMasks.set(term, mask);
  return mask;
}

function markLines(block, text, needle, mask) {
  const { starts, base } = block;
  let at = text.indexOf(needle, starts[0]);
  let line = 0;
  while (at >= 0) {
    while (starts[line + 1] <= at) line += 1;
    mask[base + line] = 0;
    at = text.indexOf(needle, starts[line + 1]);
  }
}

/** "a b" asks for both words, "\"a b\"" for the phrase. */
function termsOf(query) {
  const terms = [];
  for (const [, phrase, word] of query.normalize("NFC").toLowerCase().matchAll(/"([^"]+)"?|(\S+)/g)) {
    terms.push(phrase === undefined ? word : phrase);
  }
  return terms;
}
