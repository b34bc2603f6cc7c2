// One finding in full: the rule, what matched, the whole event, where it came from, and its members.

function openFinding(row) {
  chosen.open = row;
  showDetail();
  paintOpen();
  writeAddress();
}

function closeFinding() {
  if (chosen.open < 0) return;
  chosen.open = -1;
  showDetail();
  paintOpen();
  writeAddress();
  requestAnimationFrame(() => drawRows());
}

/** The finding as in the NDJSON output. */
function findingObject(row) {
  const item = evidence(row);
  const { id, title, level, status, tags, author, description } = store.rules[store.rule[row]];
  const finding = {
    id: item.id,
    rule: { id, title, level, status, tags, author, description },
    time: item.time,
    host: store.names[store.named[row]],
    source: { path: store.files[store.file[row]], record: item.record },
    event: item.event,
    matched: item.matched.map(([field, value, test]) => ({ field, value, test })),
    origin: store.origins[store.origin[row]],
  };
  if (item.members.length || item.group) Object.assign(finding, { members: item.members, group: item.group, count: item.count, member_sources: item.sources.map(([path, record, time, id, title]) => ({ path, record, time, rule: { id, title } })) });
  return finding;
}

async function copyText(text, button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea.sr", { readonly: true });
    area.value = text;
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
  }
  const said = done ? _("Copied") : _("Copying was refused by the browser");
  say(said);
  if (button) {
    const before = button.textContent;
    button.textContent = said;
    setTimeout(() => { button.textContent = before; }, 1500);
  }
}

function copyOpen(button) {
  if (chosen.open >= 0) copyText(JSON.stringify(findingObject(chosen.open), null, 2), button);
}

/** The address of the open finding in this page, without the filters. */
function linkOf(row) {
  return `${location.href.split("#")[0]}#${new URLSearchParams({ finding: evidence(row).id })}`;
}

function copyLink(button) {
  if (chosen.open >= 0) copyText(linkOf(chosen.open), button);
}

function part(title, ...children) {
  return h("section", {}, h("h3", {}, title), children);
}

function showDetail() {
  const panel = $("detail");
  const row = chosen.open;
  $("frame").classList.toggle("with-detail", row >= 0);
  document.body.classList.toggle("detail-open", row >= 0);
  if (panel.hidden !== row < 0) {
    panel.hidden = row < 0;
    // The table is narrower or wider now, and shows other parts of long values.
    drawRows(true);
  }
  if (row < 0) {
    panel.replaceChildren();
    return;
  }
  const item = evidence(row);
  const rule = store.rules[store.rule[row]];
  const said = store.said[store.rule[row]];
  const rank = store.level[store.rule[row]];
  fill(panel, detailHead(row, rule, rank), h("div.detail-in", {},
    h("h2", {}, shown(said.title)),
    said.description ? h("p.said", {}, shown(said.description, true)) : null,
    said.advice ? h("section.advice", {}, h("h3", {}, _("What to do first")), h("p", {}, shown(said.advice, true))) : null,
    whenWhere(row, item),
    processTree(row, item),
    item.members.length ? memberList(item) : null,
    item.group ? part(_("Grouped by"), pairs(Object.entries(item.group).map(([k, v]) => [k, v, []]))) : null,
    item.matched.some(notGroup) ? part(_("What matched"), matchedList(item)) : null,
    Object.keys(item.event).length ? part(_("Event"), pairs(Object.entries(item.event).map(([k, v]) => [k, v, eventMarks(k, v, item)]))) : null,
    aboutRule(rule)));
  panel.scrollTop = 0;
}

function detailHead(row, rule, rank) {
  const copy = h("button.quiet", { type: "button", "aria-label": _("Copy as JSON"), title: _("Copy as JSON"), "aria-keyshortcuts": "c", onclick: () => copyOpen(copy) }, _("Copy"));
  const link = h("button.quiet", { type: "button", "aria-label": _("Copy a link to this finding"), title: _("Copy a link to this finding"), "aria-keyshortcuts": "l", onclick: () => copyLink(link) }, _("Link"));
  return h("div.detail-head", {}, levelMark(rank),
    h("span.dim", {}, grid.at >= 0 ? _("{n} of {all}", { n: number(grid.at + 1), all: number(grid.total) }) : _("hidden by the filters")),
    h("span.grow"),
    h("button.quiet.icon", { type: "button", "aria-label": _("Previous finding"), "aria-keyshortcuts": "k", onclick: () => goTo(grid.at - 1) }, "↑"),
    h("button.quiet.icon", { type: "button", "aria-label": _("Next finding"), "aria-keyshortcuts": "j", onclick: () => goTo(grid.at + 1) }, "↓"),
    link,
    copy,
    h("button.quiet.icon", { type: "button", "aria-label": _("Close"), "aria-keyshortcuts": "Escape", onclick: closeFinding }, "×"));
}

function whenWhere(row, item) {
  const ms = store.time[row];
  const path = store.files[store.file[row]];
  const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const host = store.names[store.named[row]];
  const users = store.userSets[store.userSet[row]];
  return h("dl.facts.in", {},
    fact(_("Time"), item.time ? (Number.isNaN(ms) ? shown(item.time) : `${moment(ms)} UTC`) : _("the event has none")),
    fact(_("Host"), host ? h("button.linklike.pivot", { type: "button", onclick: () => pivotTo("host", [store.host[row]]) }, h("bdi", {}, shown(host))) : "—"),
    users.length ? fact(_("User"), users.map((user, i) => [i ? ", " : "", userButton(store.users[user])])) : null,
    fact(_("Source"), path ? h("bdi.path", {}, shown(path)) : "—", " ", path ? h("span.dim", {}, _("record {n}", { n: item.record })) : null),
    fact(_("Finding id"), h("a", { href: `#${new URLSearchParams({ finding: item.id })}`, title: _("Permanent link") }, h("code", {}, shown(item.id)))));
}

/** A table of field, value and the ranges of the value to mark. */
function pairs(items) {
  return h("dl.pairs", {}, items.map(([field, value, ranges]) => h("div", {},
    h("dt", {}, h("bdi", {}, shown(field || _("anywhere")))), h("dd", {}, longValue(value, ranges)))));
}

const LONG = 1200;

function longValue(value, ranges) {
  const text = typeof value === "string" ? value : typeof value === "object" && value !== null ? JSON.stringify(value, null, 1) : String(value);
  const kind = typeof value === "string" ? "" : value === null ? "null" : Array.isArray(value) ? "list" : typeof value;
  const pivot = kind ? null : pivotOf(text);
  const box = h(`bdi.value${kind ? `.${kind}` : ""}`, {});
  const reach = Math.max(0, ...ranges.map((r) => r[1]));
  const cut = text.length > LONG * 2 ? Math.max(LONG, Math.min(reach + 200, LONG * 4)) : text.length;
  const inside = ranges.filter(([, b]) => b <= cut);
  fill(box, marked(text.slice(0, cut), inside, true));
  if (pivot) return [h("button.linklike.pivot", { type: "button", onclick: () => pivotTo(...pivot) }, box)];
  if (cut === text.length) return [box];
  const more = h("button.quiet.tiny", {
    type: "button",
    onclick: () => { fill(box, marked(text, ranges, true)); more.remove(); },
  }, _("Show all {n} characters", { n: number(text.length) }));
  return [box, more];
}

// The fields that a correlation groups by are in a list of their own.
const notGroup = ([, , test]) => test !== "group-by";

function matchedList(item) {
  // Several tests on one value are shown as one value with all its marks.
  const values = new Map();
  for (const match of item.matched.filter(notGroup)) {
    const key = JSON.stringify(match.slice(0, 2));
    values.set(key, [...(values.get(key) || []), match]);
  }
  return h("dl.pairs.matched", {}, [...values.values()].map((matches) => {
    const [field, value] = matches[0];
    const text = valueText(value);
    const scalar = typeof value !== "object" || value === null;
    const found = scalar ? matches.flatMap((match) => marksOf(text, match) || []) : [];
    const ranges = found.length || !scalar ? found : [[0, text.length]];
    return h("div", {}, h("dt", {}, h("bdi", {}, shown(field || _("anywhere")))),
      h("dd", {}, longValue(scalar ? text : value, ranges), matches.map(([, , test]) => h("code.test", {}, shown(test)))));
  }));
}

function eventMarks(field, value, item) {
  if (typeof value !== "string") return [];
  return item.matched.filter(([f, v]) => f === field && v === value).flatMap((match) => marksOf(value, match) || []);
}

const MOST_MEMBERS = 100;

/** A path as the files that have findings are listed: without the folder that they share. */
const withoutFolder = (path) => (path.startsWith(folder) && path.slice(folder.length)) || path;

function memberList(item) {
  const list = h("ol.members", {});
  // Rules that only feed a correlation report nothing alone: when, why and where is what can be told of the event.
  const placeOfEvent = (i) => {
    if (!item.sources[i]) return [h("code", {}, shown(item.members[i].slice(0, 12))), ` ${_("not among the findings of this page")}`];
    const [path, record, time, id, title] = item.sources[i];
    return [`${moment(Date.parse(time))} `, shown(saidBy({ id, title }).title), " · ", h("bdi.path", { title: plain(path) }, shown(withoutFolder(path))), ` ${_("record {n}", { n: record })}`];
  };
  const show = (from, to) => item.members.slice(from, to).forEach((id, i) => {
    const row = rowOfId(id);
    list.append(h("li", {}, row < 0 ? h("span.dim", {}, placeOfEvent(from + i))
      : h("button.linklike.member", { type: "button", onclick: () => showRow(row) },
        h(`i.dot.${levelClass(store.level[store.rule[row]])}`), ` ${moment(store.time[row])} `,
        h("bdi", {}, shown(store.hosts[store.host[row]])), " · ", shown(store.said[store.rule[row]].title))));
  });
  show(0, MOST_MEMBERS);
  const rest = item.members.length - MOST_MEMBERS;
  return part(_n("{n} joined finding", "{n} joined findings", item.members.length), list, rest > 0 ? h("button.quiet.tiny", {
    type: "button",
    onclick: (event) => { show(MOST_MEMBERS, item.members.length); event.target.remove(); },
  }, _("{n} more", { n: number(rest) })) : null);
}

/** Open a row; when the filters hide it, say so rather than drop them. */
function showRow(row) {
  const position = view.rows.indexOf(row);
  if (position >= 0) goTo(position);
  else {
    grid.at = -1;
    openFinding(row);
  }
}

function aboutRule(rule) {
  const tacticWords = new Map(head.tactics);
  const other = rule.tags.filter((tag) => !/^attack\.(t\d{4}(\.\d{3})?)$/i.test(tag) && !tacticWords.has(tag.replace(/^attack\./i, "").replaceAll("_", "-")));
  const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const index = store.rules.indexOf(rule);
  return part(_("Rule"), h("dl.facts.in", {},
    rule.tactics.length ? fact(_("Tactic"), rule.tactics.map((t) => h("span.tag", {}, tacticWords.get(t) || t))) : null,
    rule.techniques.length ? fact(_("Technique"), rule.techniques.map((t) => h("span.tag", {}, techniqueText(t)))) : null,
    other.length ? fact(_("Other tags"), other.map((t) => h("span.tag", {}, shown(t)))) : null,
    fact(_("Status"), shown(rule.status || _("Not stated"))),
    fact(_("Author of the rule"), shown(rule.author || _("Not stated"))),
    rule.id ? fact(_("Rule id"), h("code", {}, shown(rule.id))) : null,
    rule.path ? fact(_("Rule file"), h("bdi.path", {}, shown(rule.path))) : null),
  h("button.quiet", { type: "button", onclick: () => toggle("rule", index) }, chosen.rule.has(index) ? _("Show all rules") : _("Show only this rule")));
}
