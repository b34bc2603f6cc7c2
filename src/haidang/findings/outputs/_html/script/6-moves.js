// Who moved where: logons and remote access as a graph, in the order of time from left to right, and as a table.
// Everyday traffic to a file server would hide the way of an intruder: first shown are the ways of users and hosts
// that are in findings of some weight. Where they are still too many, those beside the gravest findings are drawn.

const SVG = "http://www.w3.org/2000/svg";
const MOST_EDGES = 60;
const MOST_WAYS = 100;
let allMoves = false;
let madeEdges = null;
let worstLevels = null;
const MEDIUM = 2;
const NO_RANK = 9;

const wayWords = () => ({
  network: _("network logon"),
  desktop: _("remote desktop"),
  credentials: _("logon with other credentials"),
  share: _("file share"),
  service: _("remote service"),
  task: _("remote task"),
  remote: _("remote management"),
  ssh: _("SSH"),
  vpn: _("VPN"),
  console: _("administration of a device"),
  "sign-in": _("sign-in to a cloud"),
  role: _("role taken on"),
  command: _("command in a container"),
  web: _("web with a user name"),
  probe: _("touch of a honeypot"),
});

/** One edge for each pair of places: {source, target, ways, users, count, first, last, notable}. */
function edges() {
  if (madeEdges) return madeEdges;
  const found = new Map();
  // Logging off is a finding to some rules: what is informational or low makes nobody notable beside graver ones.
  const weight = Math.max(MEDIUM, Math.min(...store.rules.map((rule, i) => store.level[i])));
  for (const [from, to, kind, user, count, first, last] of trails.moves) {
    const [source, target] = [placeNamed(from), placeNamed(to)];
    if (source === target) continue;
    const key = JSON.stringify([source.key, target.key]);
    if (!found.has(key)) found.set(key, { source, target, ways: [], users: new Map(), count: 0, first: Infinity, last: -Infinity, notable: false });
    const edge = found.get(key);
    const rank = rankOfWay(user, kind, source);
    const notable = rank <= weight;
    edge.ways.push({ kind, user, count, first, last, notable, rank });
    edge.count += count;
    if (notable) edge.notable = true;
    if (user) edge.users.set(user, (edge.users.get(user) || 0) + count);
    if (first !== null) edge.first = Math.min(edge.first, first);
    if (last !== null) edge.last = Math.max(edge.last, last);
  }
  madeEdges = [...found.values()].sort((a, b) => a.first - b.first);
  return madeEdges;
}

const everyday = new Set(["network", "share", "sign-in", "role", "web", "vpn"]);
// Services of the system talk to the domain controller all day; who they are says nothing.
const SYSTEM = /^(nt authority|autorité nt|nt-autorität|nt service|window manager|font driver host)\\|^system$/i;

/** The gravest finding that speaks for a way: of its user, or, when it is no everyday one, of where it begins. */
function rankOfWay(user, kind, source) {
  if (SYSTEM.test(user)) return NO_RANK;
  const account = user ? Math.max(accounts.get(folded(user)) ?? -1, accounts.get(bareUser(user)) ?? -1) : -1;
  const ofUser = account >= 0 ? worst().users[account] : NO_RANK;
  return everyday.has(kind) ? ofUser : Math.min(ofUser, ...[...source.hosts].map((machine) => worst().hosts[machine]));
}

/** The gravest level among the findings of each host and each user; made once. */
function worst() {
  if (worstLevels) return worstLevels;
  worstLevels = { hosts: new Uint8Array(store.hosts.length).fill(NO_RANK), users: new Uint8Array(store.users.length).fill(NO_RANK) };
  const { hosts, users } = worstLevels;
  for (let i = 0; i < store.n; i += 1) {
    const rank = store.level[store.rule[i]];
    hosts[store.host[i]] = Math.min(hosts[store.host[i]], rank);
    for (const user of store.userSets[store.userSet[i]]) users[user] = Math.min(users[user], rank);
  }
  return worstLevels;
}

/** The edges to show: those that touch the chosen host or user, else the notable ones, else all. */
function shownEdges() {
  const all = edges();
  const ofUser = (user) => chosen.user.has(accounts.get(folded(user)) ?? accounts.get(bareUser(user)) ?? -1);
  const only = (way) => (!chosen.user.size || ofUser(way.user)) && (allMoves || chosen.host.size || chosen.user.size || way.notable);
  return all
    .filter((edge) => !chosen.host.size || touches(edge.source, chosen.host) || touches(edge.target, chosen.host))
    .map((edge) => ({ ...edge, ways: edge.ways.filter(only) }))
    .filter((edge) => edge.ways.length)
    .map((edge) => ({
      ...edge,
      count: edge.ways.reduce((sum, way) => sum + way.count, 0),
      first: Math.min(...edge.ways.map((way) => way.first ?? Infinity)),
      users: [...new Set(edge.ways.map((way) => way.user).filter(Boolean))],
    }))
    .sort((a, b) => a.first - b.first);
}

function showMoves() {
  const all = edges();
  const card = $("moves-card");
  card.hidden = !all.length && !trails.lost[1];
  const some = shownEdges();
  $("moves-note").textContent = _n("{n} link between hosts", "{n} links between hosts", some.length)
    + (some.length < all.length ? ` ${_("of {all}", { all: number(all.length) })}` : "");
  if (card.hidden || !card.open) return;
  const drawn = gravest(some);
  const box = h("div.graph", {});
  fill($("moves"),
    h("p.dim", {}, chosen.host.size || chosen.user.size ? _("The links of the chosen host or user.")
      : allMoves ? _("All logons and remote access that the logs tell of.")
        : _("The links of users and hosts in the graver findings, from left to right in the order of time.")),
    all.some((edge) => edge.ways.some((way) => !way.notable)) && !chosen.host.size && !chosen.user.size ? h("button.quiet", {
      type: "button", "data-key": "moves-all", "aria-pressed": String(allMoves), onclick: () => { allMoves = !allMoves; render(); },
    }, allMoves ? _("Show fewer") : _("Show all links")) : null,
    drawn.length ? h("div.scroll-x", { tabindex: "0", role: "group", "aria-label": _("Who moved where") }, box) : h("p.dim", {}, _("No logon or remote access fits.")),
    drawn.length < some.length ? h("p.dim.tiny", {}, _("{n} links are drawn, those beside the gravest findings; choose a host or a user to see the others.", { n: number(drawn.length) })) : null,
    wayTable(some),
    trails.lost[1] ? h("p.dim.tiny", {}, _("There were more moves than are kept; {n} are left out.", { n: number(trails.lost[1]) })) : null);
  if (drawn.length) drawGraph(box, drawn);
}

/** As many edges as a drawing bears: those beside the gravest findings, again in the order of time. */
function gravest(some) {
  if (some.length <= MOST_EDGES) return some;
  const rank = (edge) => Math.min(...edge.ways.map((way) => way.rank * 2 + everyday.has(way.kind)));
  return [...some].sort((a, b) => rank(a) - rank(b) || a.first - b.first).slice(0, MOST_EDGES).sort((a, b) => a.first - b.first);
}

function wayTable(some) {
  const words = wayWords();
  const ways = some.flatMap((edge) => edge.ways.map((way) => ({ ...way, edge }))).sort((a, b) => (a.first ?? Infinity) - (b.first ?? Infinity));
  const seen = (ms) => (ms === null ? "—" : moment(ms, 2));
  const rows = ways.slice(0, MOST_WAYS).map((way) => [seen(way.first), seen(way.last), placeButton(way.edge.source), placeButton(way.edge.target), words[way.kind] || shown(way.kind), way.user ? userButton(way.user) : "—", number(way.count)]);
  if (!rows.length) return null;
  return h("details.sub", { open: rows.length <= 12 }, h("summary", {}, _("As a table")), table(_("Who moved where"), [[_("First"), "when"], [_("Last"), "when"], [_("From")], [_("To")], [_("How")], [_("User")], [_("Times"), "num"]], rows), unlisted(ways.length - rows.length));
}

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.flat());
  return element;
}

const NODE = { width: 158, height: 38, gap: 20 };

/** Place the hosts: who came first stands left, whom they reached further right. */
function layout(some, width) {
  const layers = new Map();
  for (const { source, target } of some) {
    if (!layers.has(source)) layers.set(source, 0);
    if (!layers.has(target)) layers.set(target, layers.get(source) + 1);
  }
  const columns = [];
  for (const [place, layer] of layers) (columns[layer] ||= []).push(place);
  const step = columns.length > 1 ? Math.max(NODE.width + 150, (width - NODE.width - 4) / (columns.length - 1)) : 0;
  const tallest = Math.max(...columns.map((column) => column.length));
  const height = tallest * (NODE.height + NODE.gap) + 12;
  const spots = new Map();
  columns.forEach((column, layer) => column.forEach((place, i) => {
    const gap = height / column.length;
    spots.set(place, { x: 2 + layer * step, y: gap * i + gap / 2 });
  }));
  return { spots, height, width: Math.max(width, 4 + NODE.width + step * (columns.length - 1)) };
}

function drawGraph(box, some) {
  const { spots, height, width } = layout(some, Math.max(320, $("moves").clientWidth));
  const worstOf = worst().hosts;
  const most = Math.max(...some.map((edge) => edge.count));
  const picture = svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" });
  const labels = [];
  const fanned = new Map();
  for (const edge of some) for (const place of [edge.source, edge.target]) fanned.set(place, (fanned.get(place) || 0) + 1);
  for (const edge of some) {
    const [a, b] = [spots.get(edge.source), spots.get(edge.target)];
    const { path, at, anchor, end } = curve(a, b, fanned.get(edge.target) > 1 && fanned.get(edge.target) >= fanned.get(edge.source) ? 0.2 : 0.72);
    const line = svg("path", { d: path, class: "way", "stroke-width": (1.2 + 2.6 * (Math.log1p(edge.count) / Math.log1p(most))).toFixed(1) });
    const words = wayWords();
    line.append(svg("title", {}, plain(`${edge.source.name} → ${edge.target.name}: ${edge.ways.map((way) => `${words[way.kind]} ${way.user} ×${way.count}`).join(", ")}`)));
    const back = anchor === "start" ? 7 : -7;
    picture.append(line, svg("path", { d: `M${end[0]} ${end[1]}l${back} -4v8z`, class: "arrow" }));
    if (some.length <= 24) labels.push(edgeLabel(edge, at, anchor));
  }
  picture.append(...labels);
  for (const [place, spot] of spots) picture.append(node(place, spot, worstOf));
  fill(box, picture);
}

/** The line from one host to another, and the point at a share of it. */
function curve(a, b, share) {
  const begin = [a.x + NODE.width, a.y];
  const on = b.x > a.x;
  const bend = on ? (b.x - begin[0]) / 2 : 44;
  const end = on ? [b.x - 2, b.y] : [b.x + NODE.width + 2, b.y - 6];
  const out = on ? 0 : Math.max(begin[0], end[0]) + bend;
  const points = [begin, [on ? begin[0] + bend : out, a.y], [on ? end[0] - bend : out, end[1]], end];
  const rest = 1 - share;
  const weights = [rest ** 3, 3 * rest * rest * share, 3 * rest * share * share, share ** 3];
  const at = [0, 1].map((axis) => points.reduce((sum, point, i) => sum + point[axis] * weights[i], 0));
  return { path: `M${points[0].join(" ")}C${points.slice(1).map((point) => point.join(" ")).join(" ")}`, at, end, anchor: on ? "middle" : "start" };
}

function edgeLabel(edge, [x, y], anchor) {
  const names = edge.users.map((user) => plain(user).split("\\").pop());
  const text = names.length ? names.slice(0, 2).join(", ") + (names.length > 2 ? ` +${names.length - 2}` : "") : wayWords()[edge.ways[0].kind] || "";
  return svg("text", anchor === "start" ? { x: x + 6, y: y + 4, class: "way-label" } : { x, y: y - 5, class: "way-label", "text-anchor": anchor }, clipped(text, 24));
}

const clipped = (text, most) => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

function node(place, { x, y }, worst) {
  const rank = Math.min(9, ...[...place.hosts].map((machine) => worst[machine]));
  const top = y - NODE.height / 2;
  // The short address of the two says more on a drawing; the other is in the tip.
  const addresses = [...place.addresses].map(plain).sort((a, b) => a.includes(":") - b.includes(":") || (a < b ? -1 : 1));
  const below = addresses.length ? addresses[0] + (addresses.length > 1 ? ` +${addresses.length - 1}` : "") : rank < 9 ? "" : _("no findings");
  const group = svg("g", { class: `place ${rank < 9 ? levelClass(rank) : "quiet-place"}` },
    svg("rect", { x, y: top, width: NODE.width, height: NODE.height, rx: 7 }),
    svg("rect", { x, y: top + 4, width: 4, height: NODE.height - 8, rx: 2, class: "bar-of-level" }),
    svg("text", { x: x + 12, y: below ? y - 2 : y + 4 }, clipped(plain(label(place.name)), 21)),
    below ? svg("text", { x: x + 12, y: y + 13, class: "below" }, clipped(below, 24)) : []);
  group.append(svg("title", {}, plain([place.name, ...addresses].join("\n"))));
  if (place.hosts.size) {
    group.classList.add("can");
    group.addEventListener("click", () => pivotTo("host", [...place.hosts]));
  }
  return group;
}
