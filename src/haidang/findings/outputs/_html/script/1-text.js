// Texts: the theme that is set before anything is drawn, elements, words, numbers, times, and untrusted
// texts made harmless. Elements are only ever made by h() and texts by text nodes.

const root = document.documentElement;
// Style shows what needs no script until this is said.
root.classList.add("js");
const $ = (id) => document.getElementById(id);

function remembered(key, value) {
  try {
    if (value === undefined) return localStorage.getItem(key);
    localStorage.setItem(key, value);
  } catch {
    // A page opened from a file may have no storage; then nothing is remembered.
  }
  return null;
}

const systemDark = matchMedia("(prefers-color-scheme: dark)");
let chosenTheme = remembered("haidang-theme");

function setTheme(theme) {
  root.dataset.theme = theme;
}
setTheme(chosenTheme || (systemDark.matches ? "dark" : "light"));

/** Make an element: h("b.cls", {attribute: value, onclick: f}, child, "text", …). */
function h(name, attributes, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

function fill(parent, ...children) {
  parent.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
}

let head = {};

/** The words for an English message as nodes, its {placeholders} filled with nodes or texts. */
function nodesOf(message, values) {
  return (head.words[message] || message).split(/(\{\w+\})/).map((piece) => {
    const name = piece.slice(1, -1);
    return piece.startsWith("{") && name in values ? values[name] : piece;
  });
}

function put(text, values) {
  return text.replace(/\{(\w+)\}/g, (mark, name) => (values && name in values ? values[name] : mark));
}

/** The words for an English message, with its {placeholders} filled. */
function _(message, values) {
  return put(head.words[message] || message, values);
}

/** The words for n things; {n} is the number as people write it. */
function _n(one, many, n, values) {
  return _(n === 1 ? one : many, { n: number(n), ...values });
}

let numberFormat = new Intl.NumberFormat("en");

function number(n) {
  return numberFormat.format(n);
}

function bytes(n) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let unit = 0;
  while (n >= 1000 && unit < units.length - 1) {
    n /= 1000;
    unit += 1;
  }
  return `${new Intl.NumberFormat(head.lang, { maximumFractionDigits: n < 10 && unit ? 1 : 0 }).format(n)} ${units[unit]}`;
}

const two = (n) => String(n).padStart(2, "0");

/** Milliseconds as a date: 2026-11-23, or 23/11/2026 for Vietnamese readers; always UTC. */
function day(ms) {
  const d = new Date(ms);
  const [y, m, dd] = [String(d.getUTCFullYear()).padStart(4, "0"), two(d.getUTCMonth() + 1), two(d.getUTCDate())];
  return head.lang === "vi" ? `${dd}/${m}/${y}` : `${y}-${m}-${dd}`;
}

function clock(ms, parts = 3) {
  const d = new Date(ms);
  return [d.getUTCHours(), d.getUTCMinutes(), d.getUTCSeconds()].slice(0, parts).map(two).join(":");
}

function moment(ms, parts = 3) {
  return Number.isNaN(ms) ? "—" : `${day(ms)} ${clock(ms, parts)}`;
}

/** "a – b", naming the day once where it is the same. */
function span(from, to, parts = 2) {
  if (day(from) === day(to)) {
    const [a, b] = [clock(from, parts), clock(to, parts)];
    return a === b ? `${day(from)} ${a}` : `${day(from)} ${a} – ${b}`;
  }
  return `${moment(from, parts)} – ${moment(to, parts)}`;
}

// Control and format characters (bidirectional overrides, zero width, line separators …), lone surrogates and
// letters without a shape: a log may use them to show something else than it holds, so they are written out.
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u034f\u115f\u1160\u3164\uffa0\ufe00-\ufe0f]/gu;

const codeOf = (character) => `U+${character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;

/** An untrusted text as one line of plain text, what cannot be seen written out. */
function plain(text) {
  return String(text).replace(UNSEEN, (c) => (c === "\n" || c === "\t" || c === "\r" ? " " : `⟨${codeOf(c)}⟩`));
}

/** An untrusted text as nodes; with lines, line ends and tabs stay what they are. */
function shown(text, lines = false) {
  const nodes = [];
  let at = 0;
  for (const found of text.matchAll(UNSEEN)) {
    const c = found[0];
    if (lines && (c === "\n" || c === "\t")) continue;
    if (lines && c === "\r" && text[found.index + 1] === "\n") continue;
    if (found.index > at) nodes.push(text.slice(at, found.index));
    nodes.push(
      c === "\n" || c === "\r" ? h("span.ctl", { title: codeOf(c) }, "⏎")
        : c === "\t" ? h("span.ctl", { title: codeOf(c) }, "⇥")
          : h("span.ctl.odd", {}, codeOf(c)),
    );
    at = found.index + c.length;
  }
  if (at < text.length) nodes.push(text.slice(at));
  return nodes;
}

/** A value of an event as text: strings as they are, anything else as JSON. */
function valueText(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

const levelNames = ["critical", "high", "medium", "low", "informational"];

function levelWord(rank) {
  return rank < head.levels.length ? head.levels[rank][1] : _("Not stated");
}

function levelRank(level) {
  const rank = levelNames.indexOf(level);
  return rank < 0 ? levelNames.length : rank;
}

const levelClass = (rank) => `l${rank}`;
