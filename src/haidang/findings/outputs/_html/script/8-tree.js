// The process tree of a finding: who started its process, what that process started, and which of them have
// findings. Starts come from the whole run; a parent whose start was not seen is shown as its child names it.

const SLACK_MS = 5000;
const SAME_MS = 2000;
const DEEPEST = 24;
const MOST_NODES = 150;
const UNLISTED = 3;

let family = null;

const imageName = (path) => path.split(/[\\/]/).pop() || path;

/** Hosts that a start or a finding speaks of, by one key. */
const hostKey = (name) => placeNamed(name).key;

function makeFamily() {
  if (family) return family;
  family = { byGuid: new Map(), byPid: new Map(), children: new Map(), rows: null };
  const nodes = [];
  trails.starts.sort((a, b) => (a[1] ?? -1) - (b[1] ?? -1));
  for (const [host, time, guid, pid, parentGuid, parentPid, image, command, user, parentImage, parentCommand] of trails.starts) {
    addStart(nodes, { host: hostKey(host), time, guid, pid, parentGuid, parentPid, image, command, user, parentImage, parentCommand });
  }
  for (const node of nodes) {
    node.parent = parentOf(node);
    if (!node.parent) continue;
    if (!family.children.has(node.parent)) family.children.set(node.parent, []);
    family.children.get(node.parent).push(node);
  }
  for (const list of family.children.values()) list.sort((a, b) => (a.time ?? 0) - (b.time ?? 0));
  return family;
}

/** Two logs may tell of one start: the same number on the same host within two seconds is one process. */
function addStart(nodes, node) {
  const key = `${node.host}\n${node.pid}`;
  const list = family.byPid.get(key) || [];
  // Starts come in the order of time: a twin is among the last ones.
  const twin = node.pid && list.slice(-3).find((other) => Math.abs((other.time ?? 0) - (node.time ?? 0)) <= SAME_MS && imageName(other.image).toLowerCase() === imageName(node.image).toLowerCase());
  if (twin) {
    for (const [name, value] of Object.entries(node)) if (!twin[name]) twin[name] = value;
  } else {
    nodes.push(node);
    list.push(node);
    if (node.pid) family.byPid.set(key, list);
  }
  if (node.guid) family.byGuid.set(`${node.host}\n${node.guid}`, twin || node);
}

function processAt(host, process, time) {
  if (!process.startsWith("#")) return family.byGuid.get(`${host}\n${process}`) || null;
  const list = family.byPid.get(`${host}\n${process.slice(1)}`) || [];
  if (time === null || Number.isNaN(time)) return list.at(-1) || null;
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle].time ?? -1) <= time + SLACK_MS) low = middle + 1;
    else high = middle;
  }
  return list[low - 1] || null;
}

function parentOf(node) {
  let found = node.parentGuid ? processAt(node.host, node.parentGuid, node.time) : null;
  if (!found && node.parentPid) found = processAt(node.host, `#${node.parentPid}`, node.time);
  return found === node ? null : found;
}

/** Process to the rows of its findings; made once, when the first tree is shown. */
function rowsOfProcesses() {
  if (family.rows) return family.rows;
  family.rows = new Map();
  const keys = store.names.map((name) => (name ? hostKey(name) : ""));
  for (let row = 0; row < store.n; row += 1) {
    const process = store.processes[store.process[row]];
    if (!process) continue;
    const node = processAt(keys[store.named[row]], process, store.time[row]);
    if (!node) continue;
    if (!family.rows.has(node)) family.rows.set(node, []);
    family.rows.get(node).push(row);
  }
  return family.rows;
}

/** The ancestors of a process, the eldest first; one that was only named has no start of its own. */
function lineage(node) {
  const line = [node];
  const seen = new Set(line);
  while (line.length < DEEPEST) {
    const { parent } = line[0];
    if (!parent || seen.has(parent)) break;
    seen.add(parent);
    line.unshift(parent);
  }
  const [eldest] = line;
  if (eldest.parentImage && !eldest.parent) {
    line.unshift({ host: eldest.host, image: eldest.parentImage, command: eldest.parentCommand, pid: eldest.parentPid, time: null, user: "", unseen: true });
  }
  return line;
}

/** The process that a finding's own event tells of, where no start of it is known. */
function processOfEvent({ event }) {
  const text = (...names) => names.map((name) => event[name]).find((value) => typeof value === "string" && value) || "";
  const image = text("Image", "NewProcessName", "SourceImage", "exe");
  const parentImage = text("ParentImage", "ParentProcessName");
  if (!image || !parentImage) return null;
  return { host: "", time: null, pid: "", image, command: text("CommandLine"), user: text("User"), parentImage, parentCommand: text("ParentCommandLine"), parentPid: "", parent: null };
}

function processTree(row, item) {
  makeFamily();
  const rows = rowsOfProcesses();
  const process = store.processes[store.process[row]];
  const name = store.names[store.named[row]];
  const node = (process && name && processAt(hostKey(name), process, store.time[row])) || processOfEvent(item);
  if (!node) return null;
  const left = { n: MOST_NODES };
  const tree = branch(lineage(node), 0, node, row, rows, left);
  return part(_("Process tree"), h("div.tree-box", {}, h("ul.tree", {}, tree)),
    left.n <= 0 ? h("p.dim.tiny", {}, _("The tree goes on; only its beginning is shown.")) : null,
    trails.lost[0] ? h("p.dim.tiny", {}, _("There were more process starts than are kept; some may be missing.")) : null);
}

/** One ancestor with what is below it; below the finding's process come all its descendants. */
function branch(line, depth, current, row, rows, left) {
  const node = line[depth];
  left.n -= 1;
  const below = [];
  if (node === current) {
    below.push(...descendants(node, row, rows, left, new Set(line)));
  } else {
    const next = line[depth + 1];
    const siblings = (family.children.get(node) || []).filter((child) => child !== next);
    // Of the siblings, those with findings belong to the story; of the others, the number is enough.
    const kept = siblings.filter((child) => rows.has(child));
    const before = kept.filter((child) => (child.time ?? 0) <= (next.time ?? 0));
    const entries = (list) => list.slice(0, 20).map((child) => entry(child, row, rows, current, []));
    below.push(entries(before), branch(line, depth + 1, current, row, rows, left), entries(kept.filter((child) => !before.includes(child))));
    const rest = siblings.length - kept.length;
    if (rest) below.push(h("li.dim.tiny", {}, _n("{n} other process of the same parent", "{n} other processes of the same parent", rest)));
  }
  return entry(node, row, rows, current, below);
}

function descendants(node, row, rows, left, seen) {
  const items = [];
  for (const child of family.children.get(node) || []) {
    if (left.n <= 0 || seen.has(child)) break;
    seen.add(child);
    left.n -= 1;
    items.push(entry(child, row, rows, null, descendants(child, row, rows, left, seen)));
  }
  return items;
}

function entry(node, row, rows, current, below) {
  const found = rows.get(node) || [];
  const facts = [node.pid ? `PID ${node.pid}` : "", node.time === null ? "" : clock(node.time), node.user ? plain(node.user) : ""].filter(Boolean);
  return h("li", {},
    h(`div.process${node === current ? ".this" : ""}`, { "aria-current": node === current ? "true" : null },
      h("div.process-head", {}, h("b", { title: plain(node.image) }, h("bdi", {}, shown(imageName(node.image) || "?"))),
        h("span.dim", {}, facts.join(" · ")), node.unseen ? h("span.dim", {}, _("its start was not seen")) : null),
      node.command ? h("code.command", { title: plain(node.command) }, shown(clipped(node.command, 240))) : null,
      found.length ? h("ul.process-findings", {}, findingsOf(found, row)) : null),
    below.flat(Infinity).length ? h("ul", {}, below) : null);
}

function findingsOf(found, row) {
  const byRule = new Map();
  for (const one of found) if (!byRule.has(store.rule[one]) || one === row) byRule.set(store.rule[one], one);
  const list = [...byRule.values()].sort((a, b) => store.level[store.rule[a]] - store.level[store.rule[b]]);
  const items = list.slice(0, UNLISTED + 3).map((one) => h("li", {}, one === row
    ? h("span", {}, h(`i.dot.${levelClass(store.level[store.rule[one]])}`), shown(store.said[store.rule[one]].title))
    : h("button.linklike.pivot", { type: "button", onclick: () => showRow(one) }, h(`i.dot.${levelClass(store.level[store.rule[one]])}`), shown(store.said[store.rule[one]].title))));
  const rest = list.length - items.length;
  return [items, rest > 0 ? h("li.dim.tiny", {}, _("{n} more", { n: number(rest) })) : null];
}
