// The ATT&CK matrix of what was found: a column for each tactic, a cell for each technique; the more findings
// pass the filters, the stronger the colour of the gravest of them.

const FEW_CELLS = 9;
let allCells = false;
// Where long English words may be broken, for not every browser knows.
const SYLLABLES = /(\p{L}{5,}?)(?=(?:ation|ition|ment|ability)s?\b)|(\p{L}{8,}?)(?=ing\b)/gu;

/** The name of a technique that may be broken behind a slash and inside words that are wider than a column. */
function hyphenated(name) {
  return name.replace(SYLLABLES, "$1$2\u00AD").replace(/\/(?=.)/g, "/\u200B");
}

/** The columns that a rule's technique belongs in: those of the rule's tactics that it stands under in ATT&CK. */
function columnsOf(rule, technique) {
  const known = head.places[technique] || [];
  const both = rule.tactics.filter((tactic) => known.includes(tactic));
  if (both.length) return both;
  return rule.tactics.length ? rule.tactics : known.slice(0, 1);
}

/** Tactic to technique to {n, worst}: how many findings choosing it would leave. */
function matrixCells() {
  const cells = new Map();
  store.rules.forEach((rule, i) => {
    const n = view.counts.rule[i] + view.counts.not[TECHNIQUE][i];
    for (const technique of rule.techniques) {
      for (const tactic of columnsOf(rule, technique)) {
        if (!cells.has(tactic)) cells.set(tactic, new Map());
        const column = cells.get(tactic);
        const cell = column.get(technique) || { n: 0, worst: 9 };
        cell.n += n;
        if (n) cell.worst = Math.min(cell.worst, store.level[i]);
        column.set(technique, cell);
      }
    }
  });
  return cells;
}

function showMatrix() {
  const cells = matrixCells();
  const worst = worstBy((rule) => rule.tactics);
  const there = new Set([...store.rules.flatMap((rule) => rule.tactics), ...cells.keys()]);
  const most = Math.max(1, ...[...cells.values()].flatMap((column) => [...column.values()].map((cell) => cell.n)));
  const longest = Math.max(0, ...[...cells.values()].map((column) => [...column.values()].filter(({ n }) => n).length));
  $("tactic-card").hidden = !there.size;
  fill($("tactics"), head.tactics.filter(([tactic]) => there.has(tactic)).map(([tactic, word]) =>
    h("div.column", {}, tacticHead(tactic, word, worst.get(tactic)), techniqueCells(tactic, cells.get(tactic) || new Map(), most))));
  const more = $("matrix-more");
  more.hidden = longest <= FEW_CELLS;
  more.textContent = allCells ? _("Show fewer") : _("Show all techniques");
  more.onclick = () => { allCells = !allCells; showMatrix(); };
}

function tacticHead(tactic, word, rank) {
  const n = view.tally.tactic.get(tactic) || 0;
  return h(`button.tactic${n ? "" : ".nil"}${rank === undefined ? "" : `.${levelClass(rank)}`}`, {
    type: "button",
    "aria-pressed": String(chosen.tactic.has(tactic)),
    "data-key": `tactic-${tactic}`,
    onclick: () => toggle("tactic", tactic),
  }, h("b", {}, n ? number(n) : "·"), h("span", {}, word));
}

function techniqueCells(tactic, column, most) {
  const cells = [...column].filter(([technique, { n }]) => n || chosen.technique.has(technique)).sort((a, b) => a[1].worst - b[1].worst || b[1].n - a[1].n || (a[0] < b[0] ? -1 : 1));
  const few = allCells ? cells : cells.filter(([technique], i) => i < FEW_CELLS || chosen.technique.has(technique));
  return h("ul", {}, few.map(([technique, cell]) => h("li", {}, techniqueCell(tactic, technique, cell, most))),
    few.length < cells.length ? h("li.dim.tiny", {}, _("{n} more", { n: number(cells.length - few.length) })) : null);
}

function techniqueCell(tactic, technique, { n, worst }, most) {
  const button = h(`button.cell${n ? `.${levelClass(worst)}` : ".nil"}`, {
    type: "button",
    title: techniqueText(technique),
    "aria-pressed": String(chosen.technique.has(technique)),
    "data-key": `cell-${tactic}-${technique}`,
    onclick: () => toggle("technique", technique),
  }, h("span.cell-id", {}, technique, h("b", {}, n ? number(n) : "·")), h("span.cell-name", { lang: "en" }, hyphenated(head.techniques[technique] || "")));
  if (n) button.style.setProperty("--heat", `${Math.round(8 + 24 * (Math.log1p(n) / Math.log1p(most)))}%`);
  return button;
}
