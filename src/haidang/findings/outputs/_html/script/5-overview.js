// What a reader sees first: the verdict in a sentence, the facts, levels, tactics, rules, facets, and what was
// and was not read.

function brokenFiles() {
  return head.files.filter((file) => file.problems.length);
}

/** The worst findings in one sentence, as nodes: how many, on how many hosts, when. */
function verdict() {
  if (!store.n) {
    if (!head.rules) return _("No rules were loaded, so nothing could be found.");
    if (!head.events) return _("No events could be read, so nothing could be found.");
    return brokenFiles().length || head.refused.length
      ? _("Nothing was found in what could be read.")
      : _("Nothing was found.");
  }
  const worst = Math.min(...store.rules.map((r, i) => store.level[i]));
  const hosts = new Set();
  let [n, from, to] = [0, Infinity, -Infinity];
  for (let i = 0; i < store.n; i += 1) {
    if (store.level[store.rule[i]] !== worst) continue;
    n += 1;
    if (store.hosts[store.host[i]]) hosts.add(store.host[i]);
    from = Math.min(from, Number.isNaN(store.time[i]) ? Infinity : store.time[i]);
    to = Math.max(to, Number.isNaN(store.time[i]) ? -Infinity : store.time[i]);
  }
  const level = levelWord(worst).toLocaleLowerCase(head.lang);
  const what = _n("{n} {level} finding", "{n} {level} findings", n, { level });
  const where = hosts.size ? _n("on {n} host", "on {n} hosts", hosts.size) : "";
  let when = [];
  const whole = (text) => h("span.whole", {}, text);
  if (from <= to && moment(from, 2) === moment(to, 2)) when = nodesOf("at {time} UTC", { time: whole(moment(from, 2)) });
  else if (from < to) when = nodesOf("between {from} and {to} UTC", { from: whole(moment(from, 2)), to: whole(day(from) === day(to) ? clock(to, 2) : moment(to, 2)) });
  return [[what, where].filter(Boolean).join(" "), when.length ? " " : "", ...when, "."];
}

function showVerdict() {
  fill($("verdict"), verdict());
  document.title = `${$("verdict").textContent} Hải Đăng`;
  const broken = brokenFiles().length;
  const parts = [];
  if (broken) parts.push(_n("{n} file could not be read in whole", "{n} files could not be read in whole", broken));
  if (head.refused.length) parts.push(_n("{n} rule was refused", "{n} rules were refused", head.refused.length));
  if (head.notices.length) parts.push(_n("{n} notice", "{n} notices", head.notices.length));
  $("unread").hidden = !parts.length;
  fill($("unread"), h("button.linklike", { type: "button", onclick: openRead }, `⚠ ${parts.join(" · ")}`));
}

function openRead() {
  $("read-card").open = true;
  $("read-card").scrollIntoView({ block: "start" });
  $("read-card").querySelector("summary").focus({ preventScroll: true });
}

/** The folder (or archive) that all paths share, "" where there is none. */
function sharedFolder(paths) {
  const partsOf = (path) => path.match(/[^/\\!]*[/\\!]/g) || [];
  let common = paths.length ? partsOf(paths[0]) : [];
  for (const path of paths) {
    const parts = partsOf(path);
    let i = 0;
    while (i < common.length && common[i] === parts[i]) i += 1;
    common = common.slice(0, i);
  }
  return common.join("");
}

/** What was scanned: the one file, or the folder that they share. */
function scanned() {
  const paths = head.files.map((file) => file.path);
  if (!paths.length) return _("nothing");
  if (paths.length === 1) return plain(paths[0]);
  const folder = sharedFolder(paths);
  return folder && folder !== "/" ? plain(folder) : _("several places");
}

function duration(seconds) {
  if (seconds < 60) return `${new Intl.NumberFormat(head.lang, { maximumFractionDigits: 1 }).format(seconds)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

function showFacts() {
  const fact = (name, value, extra) => h("div", extra || {}, h("dt", {}, name), h("dd", {}, value));
  fill($("facts"), [
    fact(_("Scanned"), scanned(), { title: scanned() }),
    fact(_("Written"), `${moment(Date.parse(head.written), 2)} UTC`),
    fact(_("Events"), number(head.events)),
    fact(_("Log data"), bytes(head.size)),
    fact(_("Files"), number(head.files.length)),
    fact(_("Rules"), number(head.rules) + (head.feeding ? `, ${_n("{n} more that only feeds correlations", "{n} more that only feed correlations", head.feeding)}` : "")),
    head.elapsed ? fact(_("Time taken"), duration(head.elapsed)) : null,
  ]);
  $("made").textContent = `Hải Đăng ${head.version}`;
}

function toggle(kind, item) {
  const set = chosen[kind];
  if (!set.delete(item)) set.add(item);
  changed();
}

function showLevels() {
  const ranks = levelNames.map((name, rank) => rank);
  if (view.tally.level.has(levelNames.length)) ranks.push(levelNames.length);
  fill($("levels"), ranks.map((rank) => {
    const n = view.tally.level.get(rank) || 0;
    return h(`button.level.${levelClass(rank)}${n ? "" : ".nil"}`, {
      type: "button",
      "aria-pressed": String(chosen.level.has(rank)),
      "data-key": `level-${rank}`,
      onclick: () => toggle("level", rank),
    }, h("b", {}, number(n)), h("span", {}, levelWord(rank)));
  }));
}

/** The gravest level among the rows shown, for each tactic. */
function worstBy(items) {
  const worst = new Map();
  store.rules.forEach((rule, i) => {
    if (!view.counts.rule[i]) return;
    for (const item of items(rule)) worst.set(item, Math.min(worst.get(item) ?? 9, store.level[i]));
  });
  return worst;
}

/** Hits, hosts, first and last time of each rule among the rows shown. */
function ruleFigures() {
  const figures = new Map();
  for (const row of view.rows) {
    const rule = store.rule[row];
    let figure = figures.get(rule);
    if (!figure) figures.set(rule, (figure = { rule, n: 0, hosts: new Set(), from: Infinity, to: -Infinity }));
    figure.n += 1;
    if (store.hosts[store.host[row]]) figure.hosts.add(store.host[row]);
    const ms = store.time[row];
    if (ms < figure.from) figure.from = ms;
    if (ms > figure.to) figure.to = ms;
  }
  return [...figures.values()].sort((a, b) => store.level[a.rule] - store.level[b.rule] || b.n - a.n);
}

let allRules = false;
const FEW_RULES = 8;

function showRules() {
  const figures = ruleFigures();
  $("rules-card").hidden = !store.n;
  $("rules-note").textContent = _n("{n} rule", "{n} rules", figures.length);
  const list = allRules ? figures : figures.slice(0, FEW_RULES);
  const most = Math.max(1, ...figures.map((f) => f.n));
  const columns = [_("Level"), _("Rule"), _("Hits"), _("Hosts"), "ATT&CK", _("First"), _("Last")];
  fill($("rules"),
    h("thead", {}, h("tr", {}, columns.map((name, i) => h(`th${i === 2 || i === 3 ? ".num" : ""}`, { scope: "col" }, name)))),
    h("tbody", {}, list.map((figure) => ruleRow(figure, most))));
  const more = $("rules-more");
  more.hidden = figures.length <= FEW_RULES;
  more.textContent = allRules ? _("Show fewer") : _n("Show all {n} rule", "Show all {n} rules", figures.length);
}

function ruleRow(figure, most) {
  const rule = store.rules[figure.rule];
  const said = store.said[figure.rule];
  const bar = h("i.hits");
  bar.style.width = `${Math.max(2, (figure.n / most) * 100)}%`;
  const seen = (ms) => (Number.isFinite(ms) ? moment(ms, 2) : "—");
  return h(`tr${chosen.rule.has(figure.rule) ? ".on" : ""}`, { onclick: () => toggle("rule", figure.rule) },
    h("td.lv", {}, levelMark(store.level[figure.rule])),
    h("td.title", {}, h("button.linklike", {
      type: "button",
      "aria-pressed": String(chosen.rule.has(figure.rule)),
      "data-key": `rule-${figure.rule}`,
      title: plain([said.description, said.advice].filter(Boolean).join("\n\n")),
      onclick: (event) => { event.stopPropagation(); toggle("rule", figure.rule); },
    }, shown(said.title))),
    h("td.num.n", {}, h("span.hits-box", {}, bar), number(figure.n)),
    h("td.num.hosts", {}, figure.hosts.size ? number(figure.hosts.size) : "—"),
    h("td.ids", { title: rule.techniques.map(techniqueText).join("\n") }, rule.techniques.slice(0, 3).join(" "), rule.techniques.length > 3 ? " …" : ""),
    h("td.when", {}, seen(figure.from)),
    h("td.when", {}, seen(figure.to)));
}

function levelMark(rank) {
  return h(`span.mark.${levelClass(rank)}`, {}, h("i.dot", {}), levelWord(rank));
}

function techniqueText(id) {
  const name = head.techniques[id];
  const parent = id.includes(".") ? head.techniques[id.split(".")[0]] : undefined;
  return [id, parent && parent !== name ? `${parent}: ${name ?? ""}` : name].filter(Boolean).join(" ");
}

const facetKinds = () => [
  ["host", _("Host"), (i) => store.hosts[i] || _("no host")],
  ["user", _("User"), (i) => store.users[i]],
  ["technique", _("Technique"), techniqueText],
  ["rule", _("Rule"), (i) => store.said[i].title],
  ["file", _("File"), (i) => store.files[i].slice(folder.length) || store.files[i] || _("unknown")],
  ["origin", _("Kind of log"), (i) => store.origins[i] || _("unknown")],
];
let folder = "";
const openFacets = new Set();
const FEW = 6;

function showFacets() {
  const facets = facetKinds().map(([kind, title, name]) => facet(kind, title, name));
  fill($("facet-list"), facets);
  const bare = !facets.some(Boolean);
  $("frame").classList.toggle("bare", bare);
  $("facets").hidden = bare;
  $("facets-open").hidden = bare;
}

function facet(kind, title, name) {
  const tally = view.tally[kind];
  const items = [];
  if (tally instanceof Map) for (const [item, n] of tally) items.push([item, n]);
  else for (let i = 0; i < tally.length; i += 1) items.push([i, tally[i]]);
  const live = items.filter(([item, n]) => n || chosen[kind].has(item));
  if (items.length < 2 && !chosen[kind].size) return null;
  live.sort((a, b) => chosen[kind].has(b[0]) - chosen[kind].has(a[0]) || b[1] - a[1]);
  const most = Math.max(1, ...live.slice(0, 200).map(([, n]) => n));
  const few = openFacets.has(kind) ? live.slice(0, 200) : live.slice(0, FEW);
  const rest = live.length - few.length;
  return h("section.facet", { "aria-label": title },
    h("h3", {}, title, h("span.dim", {}, ` ${number(live.length)}`)),
    h("ul", {}, few.map(([item, n]) => facetItem(kind, item, n, name(item), most))),
    live.length > FEW ? h("button.quiet.tiny", {
      type: "button",
      "data-key": `more-${kind}`,
      onclick: () => { if (!openFacets.delete(kind)) openFacets.add(kind); render(); },
    }, openFacets.has(kind) ? _("Show fewer") : _("{n} more", { n: number(rest) })) : null,
    openFacets.has(kind) && rest > 0 ? h("p.dim.tiny", {}, _("{n} more; search for them", { n: number(rest) })) : null);
}

function facetItem(kind, item, n, name, most) {
  const bar = h("i.fbar");
  bar.style.width = `${(n / most) * 100}%`;
  return h("li", {}, h("button.fitem", {
    type: "button",
    title: plain(name),
    "aria-pressed": String(chosen[kind].has(item)),
    "data-key": `${kind}-${item}`,
    onclick: () => toggle(kind, item),
  }, bar, h(`span.fname${kind === "file" ? ".tail" : ""}`, {}, h("bdi", {}, shown(name))), h("span.fn", {}, number(n))));
}

function showChips() {
  const chips = [];
  const chip = (text, off) => chips.push(h("button.chip", { type: "button", onclick: off, "aria-label": _("Remove the filter {name}", { name: text }) }, h("bdi", {}, text), h("span", { "aria-hidden": "true" }, " ×")));
  for (const rank of chosen.level) chip(levelWord(rank), () => toggle("level", rank));
  const tacticWords = new Map(head.tactics);
  for (const tactic of chosen.tactic) chip(tacticWords.get(tactic) || plain(tactic), () => toggle("tactic", tactic));
  for (const [kind, , name] of facetKinds()) {
    for (const item of chosen[kind]) chip(plain(name(item)), () => toggle(kind, item));
  }
  if (chosen.from !== null) chip(span(chosen.from, chosen.to), () => chooseRange(null, null));
  if (chosen.text) chip(`“${plain(chosen.text)}”`, () => { chosen.text = ""; changed(); });
  fill($("chips"), chips);
  $("clear").hidden = !anyChosen();
  const [n, all] = [number(view.rows.length), number(store.n)];
  fill($("shown"), n === all ? _n("{n} finding", "{n} findings", store.n) : [h("b", {}, n), " ", _("of {all} findings", { all })]);
}

function showRead() {
  const broken = brokenFiles();
  const note = [_n("{n} file", "{n} files", head.files.length)];
  if (broken.length) note.push(_("{n} not in whole", { n: number(broken.length) }));
  if (head.refused.length) note.push(_n("{n} rule refused", "{n} rules refused", head.refused.length));
  $("read-note").textContent = note.join(" · ");
  $("read-card").classList.toggle("warn", broken.length + head.refused.length + head.notices.length > 0);
  if (broken.length || head.refused.length || !store.n) $("read-card").open = store.n === 0;
  fill($("read"), [
    head.notices.length ? h("div", {}, h("h3", {}, _("Notices")), h("ul.notices", {}, head.notices.map((text) => h("li", {}, shown(text))))) : null,
    problemTable(broken),
    refusedTable(),
    fileTable(head.files.filter((file) => !file.problems.length)),
  ]);
}

function table(title, columns, rows) {
  return h("div", {}, h("h3", {}, title), h("div.scroll-x", { tabindex: "0", role: "region", "aria-label": title },
    h("table.table", {},
      h("thead", {}, h("tr", {}, columns.map(([name, cls]) => h(cls ? `th.${cls}` : "th", { scope: "col" }, name)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, i) => h(columns[i][1] ? `td.${columns[i][1]}` : "td", {}, cell))))))));
}

const MOST_FILES = 2000;

function unlisted(rest) {
  return rest > 0 ? h("p.dim", {}, _("{n} more are not listed here.", { n: number(rest) })) : null;
}

function problemTable(files) {
  if (!files.length) return h("p.fine", {}, `✓ ${_("Every file was read in whole.")}`);
  const rows = files.slice(0, MOST_FILES).flatMap((file) => file.problems.map(([kind, where, detail, times]) => [
    shown(file.path), shown(file.format || _("unknown")), shown(kind), shown(where), shown(detail), number(times), number(file.skipped),
  ]));
  return [table(_("Not read in whole"), [[_("File"), "path"], [_("Format")], [_("Problem"), "bad"], [_("First at")], [_("What happened"), "text"], [_("Times"), "num"], [_("Records skipped"), "num"]], rows), unlisted(files.length - MOST_FILES)];
}

function refusedTable() {
  if (!head.refused.length) return h("p.fine", {}, `✓ ${_("No rule was refused.")}`);
  const rows = head.refused.slice(0, MOST_FILES).map(([path, at, rule, reason]) => [shown(rule || "—"), shown(at ? `${path}:${at}` : path), shown(reason)]);
  const title = _("Rules that were refused; they found nothing because they were not run");
  return [table(title, [[_("Rule")], [_("File"), "path"], [_("Reason"), "text"]], rows), unlisted(head.refused.length - MOST_FILES)];
}

function fileTable(files) {
  if (!files.length) return null;
  const rows = files.slice(0, MOST_FILES).map((file) => [shown(file.path), shown(file.format || _("unknown")), number(file.records), bytes(file.size)]);
  const rest = files.length - rows.length;
  return [
    table(_("Read in whole"), [[_("File"), "path"], [_("Format")], [_("Events"), "num"], [_("Log data"), "num"]], rows),
    unlisted(rest),
  ];
}
