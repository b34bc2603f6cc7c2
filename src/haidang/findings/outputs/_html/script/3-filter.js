// Filters: what is chosen, which rows that leaves, how many each further choice would leave, and the address
// (#…) that carries it all to a colleague.

const LEVEL = 1;
const RULE = 2;
const TACTIC = 4;
const TECHNIQUE = 8;
const HOST = 16;
const FILE = 32;
const ORIGIN = 64;
const TIME = 128;
const TEXT = 256;
const USER = 512;

const chosen = {
  level: new Set(),
  rule: new Set(),
  tactic: new Set(),
  technique: new Set(),
  host: new Set(),
  user: new Set(),
  file: new Set(),
  origin: new Set(),
  from: null,
  to: null,
  text: "",
  sort: "level",
  open: -1,
};

const view = {
  rows: new Uint32Array(0), // in the order shown
  mask: new Uint16Array(0), // which filters each row fails
  tally: {}, // kind to counts
};

function ruleMask() {
  const { level, rule, tactic, technique } = chosen;
  return Uint16Array.from(store.rules, (r, i) => {
    let mask = 0;
    if (level.size && !level.has(store.level[i])) mask |= LEVEL;
    if (rule.size && !rule.has(i)) mask |= RULE;
    if (tactic.size && !r.tactics.some((t) => tactic.has(t))) mask |= TACTIC;
    if (technique.size && !r.techniques.some((t) => technique.has(t))) mask |= TECHNIQUE;
    return mask;
  });
}

function setMask(list, set, bit) {
  return Uint16Array.from(list, (item, i) => (set.size && !set.has(i) ? bit : 0));
}

function userMask() {
  const { user } = chosen;
  return Uint16Array.from(store.userSets, (set) => (user.size && !set.some((i) => user.has(i)) ? USER : 0));
}

/** Run all filters over all rows and count what each further choice would leave. */
function applyFilters() {
  const begun = performance.now();
  const { n, rule, host, file, origin, time, userSet } = store;
  const byRule = ruleMask();
  const byHost = setMask(store.hosts, chosen.host, HOST);
  const byUser = userMask();
  const byFile = setMask(store.files, chosen.file, FILE);
  const byOrigin = setMask(store.origins, chosen.origin, ORIGIN);
  const terms = termsOf(chosen.text).map(termMask);
  const { from, to } = chosen;
  const ranged = from !== null;
  const mask = view.mask.length === n ? view.mask : new Uint16Array(n);
  const counts = newCounts();
  for (let i = 0; i < n; i += 1) {
    let m = byRule[rule[i]] | byHost[host[i]] | byUser[userSet[i]] | byFile[file[i]] | byOrigin[origin[i]];
    if (ranged && !(time[i] >= from && time[i] < to)) m |= TIME;
    for (let t = 0; t < terms.length; t += 1) if (terms[t][i]) m |= TEXT;
    mask[i] = m;
    // A row that fails one filter only is one that a further choice in that filter would bring.
    if (m === 0 || (m & (m - 1)) === 0) count(counts, m, rule[i], host[i], userSet[i], file[i], origin[i]);
  }
  view.mask = mask;
  view.tally = tallies(counts);
  view.counts = counts;
  sortRows();
  root.dataset.filterMs = (performance.now() - begun).toFixed(1);
}

function newCounts() {
  const rules = store.rules.length;
  return {
    shown: 0,
    rule: new Uint32Array(rules),
    not: { [LEVEL]: new Uint32Array(rules), [RULE]: new Uint32Array(rules), [TACTIC]: new Uint32Array(rules), [TECHNIQUE]: new Uint32Array(rules) },
    host: new Uint32Array(store.hosts.length),
    userSet: new Uint32Array(store.userSets.length),
    file: new Uint32Array(store.files.length),
    origin: new Uint32Array(store.origins.length),
  };
}

function count(counts, m, rule, host, userSet, file, origin) {
  if (m === 0) {
    counts.shown += 1;
    counts.rule[rule] += 1;
    counts.host[host] += 1;
    counts.userSet[userSet] += 1;
    counts.file[file] += 1;
    counts.origin[origin] += 1;
  } else if (m <= TECHNIQUE) counts.not[m][rule] += 1;
  else if (m === HOST) counts.host[host] += 1;
  else if (m === USER) counts.userSet[userSet] += 1;
  else if (m === FILE) counts.file[file] += 1;
  else if (m === ORIGIN) counts.origin[origin] += 1;
}

function tallies(counts) {
  const tally = { level: new Map(), rule: new Map(), tactic: new Map(), technique: new Map() };
  const add = (map, key, n) => map.set(key, (map.get(key) || 0) + n);
  store.rules.forEach((rule, i) => {
    const n = counts.rule[i];
    add(tally.level, store.level[i], n + counts.not[LEVEL][i]);
    add(tally.rule, i, n + counts.not[RULE][i]);
    for (const tactic of rule.tactics) add(tally.tactic, tactic, n + counts.not[TACTIC][i]);
    for (const technique of rule.techniques) add(tally.technique, technique, n + counts.not[TECHNIQUE][i]);
  });
  for (const kind of ["host", "file", "origin"]) tally[kind] = counts[kind];
  tally.user = new Uint32Array(store.users.length);
  store.userSets.forEach((set, i) => { for (const user of set) tally.user[user] += counts.userSet[i]; });
  return tally;
}

const orders = new Map();

function counted(base, keys, kinds) {
  // A counting sort keeps the order of `base` among equals.
  const starts = new Uint32Array(kinds + 1);
  for (let i = 0; i < keys.length; i += 1) starts[keys[i] + 1] += 1;
  for (let k = 0; k < kinds; k += 1) starts[k + 1] += starts[k];
  const out = new Uint32Array(base.length);
  for (let i = 0; i < base.length; i += 1) out[starts[keys[base[i]]]++] = base[i];
  return out;
}

function ranksOf(list) {
  const order = list.map((text, i) => i).sort((a, b) => (list[a] < list[b] ? -1 : list[a] > list[b] ? 1 : 0));
  const ranks = new Uint32Array(list.length);
  order.forEach((item, rank) => { ranks[item] = rank; });
  return ranks;
}

function orderBy(key) {
  if (orders.has(key)) return orders.get(key);
  let order;
  if (key === "time") {
    const { time } = store;
    order = Uint32Array.from(store.time, (ms, i) => i).sort((a, b) => {
      const [x, y] = [time[a], time[b]];
      if (x === y) return a - b;
      if (Number.isNaN(x)) return Number.isNaN(y) ? a - b : 1;
      return Number.isNaN(y) ? -1 : x - y;
    });
  } else {
    const base = orderBy("time");
    if (key === "level") order = counted(base, store.rule.map((r) => store.level[r]), levelNames.length + 1);
    if (key === "host") {
      const ranks = ranksOf(store.hosts);
      order = counted(base, store.host.map((i) => ranks[i]), ranks.length);
    }
    if (key === "rule") {
      const ranks = ranksOf(store.said.map((said) => said.title));
      order = counted(base, store.rule.map((i) => ranks[i]), ranks.length);
    }
  }
  orders.set(key, order);
  return order;
}

function sortRows() {
  const back = chosen.sort.startsWith("-");
  const order = orderBy(back ? chosen.sort.slice(1) : chosen.sort);
  const rows = new Uint32Array(view.counts.shown);
  let at = 0;
  for (let i = 0; i < order.length; i += 1) if (view.mask[order[i]] === 0) rows[at++] = order[i];
  view.rows = back ? rows.reverse() : rows;
}

const KINDS = ["level", "rule", "tactic", "technique", "host", "user", "file", "origin"];

function anyChosen() {
  return chosen.text !== "" || chosen.from !== null
    || KINDS.some((kind) => chosen[kind].size);
}

function clearChosen() {
  for (const kind of KINDS) chosen[kind].clear();
  chosen.from = null;
  chosen.to = null;
  chosen.text = "";
}

// The address. Names, not numbers, so that it holds for another scan of the same logs.

const ruleName = (i) => store.rules[i].id || store.rules[i].title;
const named = {
  level: [(rank) => levelNames[rank] || "none", (name) => levelRank(name)],
  tactic: [(t) => t, (t) => t],
  technique: [(t) => t, (t) => t],
  rule: [ruleName, (name) => store.rules.findIndex((r, i) => ruleName(i) === name)],
  host: [(i) => store.hosts[i], (name) => store.machine[store.names.indexOf(name)] ?? -1],
  user: [(i) => store.users[i], (name) => store.users.findIndex((user) => user.toLowerCase() === name.toLowerCase())],
  file: [(i) => store.files[i], (name) => store.files.indexOf(name)],
  origin: [(i) => store.origins[i], (name) => store.origins.indexOf(name)],
};

function writeAddress() {
  const address = new URLSearchParams();
  for (const [kind, [toName]] of Object.entries(named)) {
    for (const item of chosen[kind]) address.append(kind, toName(item));
  }
  if (chosen.from !== null) {
    address.set("from", new Date(chosen.from).toISOString());
    address.set("to", new Date(chosen.to).toISOString());
  }
  if (chosen.text) address.set("q", chosen.text);
  if (chosen.sort !== "level") address.set("sort", chosen.sort);
  if (chosen.open >= 0) address.set("finding", evidence(chosen.open).id);
  const [before, text] = [location.hash.slice(1), address.toString()];
  if (text === before) return;
  try {
    history[isStep(new URLSearchParams(before), address) ? "pushState" : "replaceState"](null, "", `#${text}`);
  } catch {
    // Some browsers refuse this for files; the page works without.
  }
}

/** Whether one should be able to go back from here: not letter by letter, nor through findings one walks along. */
function isStep(before, after) {
  if (!root.dataset.ready) return false;
  const kept = (address, name) => new URLSearchParams([...address].filter(([key]) => key !== name)).toString();
  const walking = before.has("finding") && after.has("finding") && kept(before, "finding") === kept(after, "finding");
  const typing = before.has("q") && kept(before, "q") === kept(after, "q");
  return !walking && !typing;
}

function readAddress() {
  const address = new URLSearchParams(location.hash.slice(1));
  clearChosen();
  for (const [kind, [, fromName]] of Object.entries(named)) {
    for (const name of address.getAll(kind)) {
      const item = fromName(name);
      if (item !== -1) chosen[kind].add(item);
    }
  }
  const [from, to] = [Date.parse(address.get("from")), Date.parse(address.get("to"))];
  if (from < to) {
    chosen.from = from;
    chosen.to = to;
  }
  chosen.text = address.get("q") || "";
  const sort = address.get("sort") || "level";
  if (/^-?(level|time|host|rule)$/.test(sort)) chosen.sort = sort;
  chosen.open = address.has("finding") ? rowOfId(address.get("finding")) : -1;
}
