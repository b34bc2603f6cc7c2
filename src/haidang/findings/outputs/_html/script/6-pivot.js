// One host or one user: what the findings say of it as a whole, whatever the other filters are.

const MOST_LISTED = 8;

/** [kind, items, name] where hosts of one place, or one user, are chosen. */
function pivotChosen() {
  if (chosen.user.size === 1) return ["user", chosen.user, store.users[[...chosen.user][0]]];
  if (!chosen.host.size) return null;
  const [first] = chosen.host;
  const place = places.get(`#${first}`);
  const one = chosen.host.size === 1 || (place && [...chosen.host].every((machine) => place.hosts.has(machine) || sameHost(place, machine)));
  if (!one || !store.hosts[first]) return null;
  return ["host", chosen.host, [...chosen.host].map((i) => store.hosts[i]).join(", ")];
}

const sameHost = (place, machine) => [...place.addresses].some((address) => folded(store.hosts[machine]) === address);

function pivotFigures(kind, items) {
  const figures = { n: 0, from: Infinity, to: -Infinity, levels: new Map(), rules: new Map(), hosts: new Map(), users: new Map() };
  const add = (map, key) => map.set(key, (map.get(key) || 0) + 1);
  const wanted = kind === "user" ? store.userSets.map((set) => set.some((user) => items.has(user))) : null;
  for (let i = 0; i < store.n; i += 1) {
    if (wanted ? !wanted[store.userSet[i]] : !items.has(store.host[i])) continue;
    figures.n += 1;
    const ms = store.time[i];
    if (ms < figures.from) figures.from = ms;
    if (ms > figures.to) figures.to = ms;
    add(figures.levels, store.level[store.rule[i]]);
    add(figures.rules, store.rule[i]);
    if (store.hosts[store.host[i]]) add(figures.hosts, store.host[i]);
    for (const user of store.userSets[store.userSet[i]]) add(figures.users, user);
  }
  return figures;
}

function showPivot() {
  const pivot = pivotChosen();
  const card = $("pivot-card");
  card.hidden = !pivot;
  if (!pivot) {
    card.replaceChildren();
    return;
  }
  const [kind, items, name] = pivot;
  const figures = pivotFigures(kind, items);
  const seen = (ms) => (Number.isFinite(ms) ? moment(ms, 2) : "—");
  const fact = (word, ...value) => h("div", {}, h("dt", {}, word), h("dd", {}, value));
  fill(card,
    h("div.card-head", {}, h("h2", { id: "pivot-title" }, kind === "host" ? _("Host") : _("User"), " ", h("bdi.pivot-name", {}, shown(name))),
      h("span.grow"), h("button.quiet", { type: "button", "data-key": "pivot-off", onclick: () => { chosen[kind].clear(); changed(); } }, _("Leave"))),
    h("dl.facts", {}, fact(_("Findings"), number(figures.n)), fact(_("First seen"), seen(figures.from)), fact(_("Last seen"), seen(figures.to)),
      [...figures.levels].sort((a, b) => a[0] - b[0]).map(([rank, n]) => h(`div.${levelClass(rank)}`, {}, h("dt", {}, h("i.dot"), levelWord(rank)), h("dd", {}, number(n))))),
    h("div.pivot-lists", {},
      pivotList(_("Rules"), figures.rules, (rule) => [h(`i.dot.${levelClass(store.level[rule])}`), shown(store.said[rule].title)], (rule) => toggle("rule", rule), (a, b) => store.level[a] - store.level[b]),
      pivotList(kind === "host" ? _("Users in its findings") : _("Other users in its findings"), figures.users, (user) => shown(store.users[user]), (user) => pivotTo("user", [user]), null, kind === "user" ? items : null),
      pivotList(kind === "user" ? _("Hosts of its findings") : null, figures.hosts, (host) => shown(store.hosts[host]), (host) => pivotTo("host", [host])),
      pivotMoves(kind, items)));
}

function pivotList(title, counts, name, act, order, without) {
  const items = [...counts].filter(([item]) => !without || !without.has(item));
  if (!title || !items.length) return null;
  items.sort((a, b) => (order ? order(a[0], b[0]) : 0) || b[1] - a[1]);
  const rest = items.length - MOST_LISTED;
  return h("section", {}, h("h3", {}, title, h("span.dim", {}, ` ${number(items.length)}`)),
    h("ul", {}, items.slice(0, MOST_LISTED).map(([item, n]) => h("li", {}, h("button.linklike.pivot", { type: "button", onclick: () => act(item) }, h("bdi", {}, name(item))), h("span.fn", {}, number(n))))),
    rest > 0 ? h("p.dim.tiny", {}, _("{n} more are not listed here.", { n: number(rest) })) : null);
}

/** Where the host's visitors came from and went to, or where the user went. */
function pivotMoves(kind, items) {
  const lists = { in: new Map(), out: new Map() };
  const add = (map, place, n) => map.set(place, (map.get(place) || 0) + n);
  for (const edge of edges()) {
    if (kind === "user") {
      if (SYSTEM.test(store.users[[...items][0]])) break;
      for (const way of edge.ways) {
        if (!way.user || !items.has(accounts.get(folded(way.user)))) continue;
        add(lists.in, edge.source, way.count);
        add(lists.out, edge.target, way.count);
      }
    } else {
      if (touches(edge.target, items)) add(lists.in, edge.source, edge.count);
      if (touches(edge.source, items)) add(lists.out, edge.target, edge.count);
    }
  }
  const list = (title, map) => (map.size ? h("section", {}, h("h3", {}, title, h("span.dim", {}, ` ${number(map.size)}`)),
    h("ul", {}, [...map].sort((a, b) => b[1] - a[1]).slice(0, MOST_LISTED).map(([place, n]) => h("li", {}, placeButton(place), h("span.fn", {}, number(n))))),
    map.size > MOST_LISTED ? h("p.dim.tiny", {}, _("{n} more are not listed here.", { n: number(map.size - MOST_LISTED) })) : null) : null);
  return [list(_("Came from"), lists.in), list(_("Went to"), lists.out)];
}

const touches = (place, items) => [...place.hosts].some((machine) => items.has(machine));
