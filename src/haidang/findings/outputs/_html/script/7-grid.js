// The table of findings: only the rows in sight are in the document, whatever their number.

const grid = {
  height: 30,
  live: new Map(), // position to element
  at: -1, // position of the chosen row
  total: 0,
};
// Browsers cannot lay out elements taller than about 17 million pixels; beyond this the scroll bar is scaled.
const TALLEST = 12e6;

function gridColumns() {
  return [["level", _("Level")], ["time", _("Time (UTC)")], ["host", _("Host")], ["rule", _("Rule")], ["", _("Evidence")]];
}

function showGridHead() {
  const back = chosen.sort.startsWith("-");
  const key = back ? chosen.sort.slice(1) : chosen.sort;
  fill($("grid-head"), gridColumns().map(([name, word]) => h(`span.c-${name || "evidence"}`, {
    role: "columnheader",
    "aria-sort": name === key ? (back ? "descending" : "ascending") : null,
  }, name ? h("button.sort", {
    type: "button",
    "data-key": `sort-${name}`,
    onclick: () => { chosen.sort = name === key && !back ? `-${name}` : name; changed(); },
  }, word, h("i", { "aria-hidden": "true" }, name === key ? (back ? " ▼" : " ▲") : "")) : word)));
}

function gridRow(position) {
  const row = view.rows[position];
  const rank = store.level[store.rule[row]];
  const item = evidence(row);
  const ms = store.time[row];
  const title = store.said[store.rule[row]].title;
  return h(`div.row.${levelClass(rank)}`, {
    role: "row", id: `r${row}`, "aria-rowindex": position + 2, "aria-selected": String(row === chosen.open),
    onclick: () => { goTo(position, true); },
  },
  h("span.c-level", { role: "gridcell" }, levelMark(rank)),
  h("span.c-time", { role: "gridcell" }, Number.isNaN(ms) ? (item.time ? shown(item.time) : "—") : moment(ms)),
  h("span.c-host", { role: "gridcell" }, h("bdi", {}, shown(store.names[store.named[row]] || "—"))),
  h("span.c-rule", { role: "gridcell", title: plain(title) }, shown(title)),
  h("span.c-evidence", { role: "gridcell" }, snippet(item)));
}

function stickyHeight() {
  return $("bar").offsetHeight + $("grid-head").offsetHeight;
}

/** Which positions are in sight, and how far down the first one is. */
function sight() {
  const rows = $("rows");
  const top = rows.getBoundingClientRect().top;
  const inView = Math.ceil(innerHeight / grid.height) + 1;
  const whole = grid.total * grid.height;
  const above = Math.max(0, $("bar").offsetHeight - top);
  if (whole <= TALLEST) {
    const first = Math.max(0, Math.floor(above / grid.height) - 4);
    return { first, last: Math.min(grid.total, first + inView + 8), offset: first * grid.height };
  }
  const share = Math.min(1, above / (TALLEST - innerHeight));
  const first = Math.round(share * Math.max(0, grid.total - inView + 2));
  return { first, last: Math.min(grid.total, first + inView), offset: above };
}

function drawRows(fresh = false) {
  const rows = $("rows");
  if (fresh) {
    grid.live.clear();
    rows.replaceChildren();
  }
  if (!grid.total) return;
  const { first, last, offset } = sight();
  for (const [position, element] of grid.live) {
    if (position < first || position >= last) {
      element.remove();
      grid.live.delete(position);
    }
  }
  const added = document.createDocumentFragment();
  for (let p = first; p < last; p += 1) {
    let element = grid.live.get(p);
    if (!element) {
      element = gridRow(p);
      grid.live.set(p, element);
      added.append(element);
    }
    element.style.top = `${offset + (p - first) * grid.height}px`;
  }
  rows.append(added);
}

function showGrid() {
  grid.total = view.rows.length;
  grid.height = parseFloat(getComputedStyle($("grid")).getPropertyValue("--row"));
  $("rows").style.height = `${Math.min(TALLEST, grid.total * grid.height)}px`;
  $("grid").setAttribute("aria-rowcount", grid.total + 1);
  $("grid").hidden = !grid.total;
  const none = $("none");
  none.hidden = grid.total > 0;
  $("findings").hidden = !store.n;
  fill(none, h("p", {}, _("No finding passes these filters.")), h("button.quiet", { type: "button", onclick: clearAll }, _("Clear all")));
  grid.at = chosen.open >= 0 ? view.rows.indexOf(chosen.open) : -1;
  showGridHead();
  drawRows(true);
  activeRow();
}

function activeRow() {
  const row = grid.at >= 0 ? `r${view.rows[grid.at]}` : null;
  if (row && $(row)) $("grid").setAttribute("aria-activedescendant", row);
  else $("grid").removeAttribute("aria-activedescendant");
}

function scrollToPosition(position) {
  const rows = $("rows");
  const top = rows.getBoundingClientRect().top + scrollY;
  const sticky = stickyHeight();
  if (grid.total * grid.height > TALLEST) {
    const inView = Math.ceil(innerHeight / grid.height) + 1;
    const { first, last } = sight();
    if (position > first + 3 && position < last - 5) return;
    const share = Math.max(0, position - 5) / Math.max(1, grid.total - inView + 2);
    scrollTo(0, top - $("bar").offsetHeight + share * (TALLEST - innerHeight));
    return;
  }
  const y = top + position * grid.height;
  // From the overview, go to the table as a whole first.
  if (top > scrollY + innerHeight * 0.6 && position < 10) {
    scrollTo(0, $("findings").getBoundingClientRect().top + scrollY - $("bar").offsetHeight - 8);
    return;
  }
  if (y < scrollY + sticky) scrollTo(0, y - sticky - grid.height * 2);
  else if (y + grid.height > scrollY + innerHeight) scrollTo(0, y + grid.height * 3 - innerHeight);
}

/** Choose a row by its position among those shown, open it, and bring it into sight. */
function goTo(position, byPointer = false) {
  if (!grid.total) return;
  grid.at = Math.max(0, Math.min(grid.total - 1, position));
  openFinding(view.rows[grid.at]);
  if (!byPointer || grid.height < 40) scrollToPosition(grid.at);
  drawRows();
  activeRow();
}

function paintOpen() {
  for (const [position, element] of grid.live) {
    element.setAttribute("aria-selected", String(view.rows[position] === chosen.open));
  }
}

const MOST_PRINTED = 500;

/** Paper is white and has no scroll bar: the first rows are put into the document while it prints. */
function beforePrint() {
  Object.assign(beforePrint, { theme: root.dataset.theme, open: $("read-card").open, allRules });
  setTheme("light");
  allRules = true;
  $("read-card").open = true;
  showRules();
  drawTime();
  const n = Math.min(MOST_PRINTED, grid.total);
  const rows = [];
  for (let p = 0; p < n; p += 1) {
    const element = gridRow(p);
    element.removeAttribute("id");
    rows.push(element);
  }
  fill($("printed"), rows, n < grid.total ? h("p", {}, _("The first {n} of {all} findings; filter the page before printing to choose others.", { n: number(n), all: number(grid.total) })) : null);
}

function afterPrint() {
  $("printed").replaceChildren();
  setTheme(beforePrint.theme);
  allRules = beforePrint.allRules;
  $("read-card").open = beforePrint.open;
  showRules();
  drawTime();
}
