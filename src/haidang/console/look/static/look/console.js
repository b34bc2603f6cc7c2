// The console's one script. Pages work without it; with it the queue is worked by keyboard, in place, and news
// comes by itself. Nothing from a log is ever put into the page here: the server renders, htmx swaps.
"use strict";

const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/* Colours, menus, dialogs. */

document.addEventListener("click", (event) => {
  const button = event.target.closest("button, [data-act]");
  for (const open of $$("details.user[open]")) if (!open.contains(event.target)) open.open = false;
  if (!button) return;
  if (button.id === "theme") return flipTheme();
  if (button.id === "fresh") return loadNews();
  if (button.id === "bulk-none") return chooseNone();
  if (button.dataset.toggle) return toggle(button.dataset.toggle);
  if (button.dataset.dialog) return openDialog(button.dataset.dialog);
  if ("cancel" in button.dataset) return button.closest("dialog").close();
  if ("back" in button.dataset) return backToList();
  if (button.dataset.act) return act(button.dataset.act, button.closest("#bulk") ? ticked() : [shownAlert()]);
});

function flipTheme() {
  const root = document.documentElement;
  root.dataset.theme = root.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("theme", root.dataset.theme); } catch { /* storage may be shut off */ }
}

function toggle(id) {
  const shown = document.getElementById(id).classList.toggle("shown-now");
  for (const button of $$(`[data-toggle="${id}"]`)) button.setAttribute("aria-expanded", String(shown));
}

function openDialog(id) {
  if (id === "save-view") $("#save-query").value = new URL($("#queue").dataset.address, location.href).search.slice(1);
  $(`dialog#${id}`).showModal();
}

/* Rows: one is current, some may be ticked. */

let waiting = 0;

const rows = () => $$("#rows > .row");
const current = () => $("#rows > .row.on");
const numberOf = (row) => row.id.slice("alert-".length);
const ticked = () => $$("#rows input[name=alert]:checked").map((box) => box.value);
const shownAlert = () => $("#detail [data-alert]")?.dataset.alert;

function select(row, { now = false, focus = true } = {}) {
  if (!row) return;
  for (const other of $$("#rows > .row.on")) {
    other.classList.remove("on");
    $(".open", other).removeAttribute("aria-current");
  }
  row.classList.add("on");
  const link = $(".open", row);
  link.setAttribute("aria-current", "true");
  if (focus) link.focus({ preventScroll: true });
  keepInView(row);
  clearTimeout(waiting);
  // Whoever runs down the list does not look at each: only what the eye rests on is fetched, and recorded as seen.
  waiting = setTimeout(() => htmx.trigger(link, "pick"), now ? 0 : 140);
}

function keepInView(row) {
  const list = $("#list");
  const head = 80 + ($("#bulk")?.hidden === false ? 44 : 0);
  const top = row.offsetTop - list.scrollTop;
  if (top < head) list.scrollTop = row.offsetTop - head;
  else if (top + row.offsetHeight > list.clientHeight - 8) list.scrollTop = row.offsetTop + row.offsetHeight - list.clientHeight + 8;
}

function step(by) {
  const all = rows();
  const at = all.indexOf(current());
  select(all[at < 0 ? 0 : Math.max(0, Math.min(all.length - 1, at + by))]);
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("#rows .open");
  if (!link || !$("#detail") || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  select(link.closest(".row"), { now: true });
});

document.addEventListener("change", (event) => {
  if (event.target.id === "all") for (const box of $$("#rows input[name=alert]")) box.checked = event.target.checked;
  if (event.target.id === "all" || event.target.name === "alert") showTicked();
  if ("chooseAll" in event.target.dataset) for (const box of $$("tbody input[type=checkbox]", event.target.closest("table"))) box.checked = event.target.checked;
});

function showTicked() {
  const bulk = $("#bulk");
  if (!bulk) return;
  const number = ticked().length;
  bulk.hidden = number === 0;
  $("#bulk-n").textContent = number;
  const all = $("#all");
  all.checked = number > 0 && number === rows().length;
  all.indeterminate = number > 0 && !all.checked;
}

function chooseNone() {
  for (const box of $$("#rows input[name=alert]:checked")) box.checked = false;
  showTicked();
}

function backToList() {
  $("#detail").classList.remove("shown-now");
  const row = current();
  if (row) $(".open", row).focus();
}

/* Acts: on what is ticked, else on the current alert. */

function targets() {
  const some = ticked();
  if (some.length) return some;
  const one = current() ? numberOf(current()) : shownAlert();
  return one ? [one] : [];
}

function act(name, numbers) {
  if (!numbers.length || !numbers[0] || !$("#quick")) return;
  if (["close", "note", "assign"].includes(name)) return ask(name, numbers);
  const form = $("#quick");
  form.elements.action.value = name === "me" ? "assign" : name;
  form.elements.owner.value = name === "me" ? "me" : "";
  fillNumbers(form, numbers);
  htmx.trigger(form, "submit");
}

function ask(name, numbers) {
  const dialog = $(`dialog#${name}`);
  const form = $("form", dialog);
  form.reset();
  fillNumbers(form, numbers);
  const title = numbers.length > 1 ? `× ${numbers.length}` : $(`#alert-${numbers[0]} .c-title`)?.textContent || $("#detail [data-title]")?.dataset.title || "";
  $(".about", dialog).textContent = title;
  dialog.showModal();
}

function fillNumbers(form, numbers) {
  const place = $(".ids", form);
  place.replaceChildren(...[...numbers, ""].map((number, at) => {
    const input = document.createElement("input");
    input.type = "hidden";
    input.name = at < numbers.length ? "alert" : "shown";
    input.value = at < numbers.length ? number : shownAlert() || "";
    return input;
  }));
}

document.addEventListener("htmx:afterRequest", (event) => {
  const form = event.target.closest?.("form.act, form#quick");
  if (!form || !event.detail.successful) return;
  const numbers = $$(".ids input[name=alert]", form).map((input) => input.value);
  form.closest("dialog")?.close();
  chooseNone();
  const closed = form.elements.action.value === "close";
  const falsePositive = form.elements.disposition?.value === "false-positive";
  const row = current();
  // Closed is done: on to the next, unless there is something to decide about this one.
  if (closed && numbers.length === 1 && row && numberOf(row) === numbers[0] && !falsePositive) step(1);
  else if (row) $(".open", row).focus({ preventScroll: true });
});

document.addEventListener("htmx:oobBeforeSwap", (event) => {
  // A row that is swapped stays the current one.
  if (event.target.classList?.contains("on")) event.detail.fragment.firstElementChild?.classList.add("on");
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.target.id === "detail") {
    event.target.scrollTop = 0;
    event.target.classList.add("shown-now");
  }
  if (event.target.id === "queue" || event.detail.target?.id === "queue") {
    fresh.clear();
    showFresh();
  }
});

/* What went wrong is said; nothing passes in silence. */

const complain = (words) => {
  $("#failure").textContent = words;
  setTimeout(() => { $("#failure").textContent = ""; }, 6000);
};

for (const [name, words] of [["htmx:sendError", "offline"], ["htmx:responseError", "refused"]]) {
  document.addEventListener(name, ({ detail: { xhr } }) => {
    complain(xhr?.status === 400 ? xhr.responseText : $("#failure").dataset[words]);
  });
}

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  const unnamed = event.detail.exception?.name === "SecurityError" || !isSecureContext;
  complain($("#failure").dataset[unnamed ? "keyName" : "key"]);
});

document.addEventListener("htmx:beforeOnLoad", (event) => {
  // Signed out meanwhile: the door is a page of its own, not a part of this one.
  const path = new URL(event.detail.xhr.responseURL || location.href).pathname;
  if (path.includes("/account/")) {
    event.preventDefault();
    location.reload();
  }
});

const hush = new MutationObserver(() => {
  const toast = $("#toast");
  if (!toast?.textContent || toast.dataset.until) return;
  toast.dataset.until = "1";
  setTimeout(() => { if (toast.isConnected) { toast.textContent = ""; delete toast.dataset.until; } }, 3500);
});

/* Keys. */

const KEYS = {
  j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1),
  a: () => act("acknowledge", targets()),
  c: () => act("close", targets()),
  e: () => act("me", targets()),
  n: () => act("note", targets()),
  r: () => loadNews(),
  x: () => { const box = current() && $("input[name=alert]", current()); if (box) { box.checked = !box.checked; showTicked(); } },
  "/": () => { $("#q").focus(); $("#q").select(); },
  "?": () => openDialog("help"),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const dialog = $("dialog[open]");
  if (dialog) return inDialog(event, dialog);
  const typing = event.target.closest("input:not([type=checkbox]), textarea, select");
  if (event.key === "Escape" && $("#list")) {
    if (typing) event.target.blur();
    if ($("#facets.shown-now")) toggle("facets");
    return backToList();
  }
  if (typing || !$("#detail") || !KEYS[event.key]) return;
  if (event.key.startsWith("Arrow") && !event.target.closest("#rows")) return;
  if (!$("#list") && !"acen?".includes(event.key)) return;
  event.preventDefault();
  KEYS[event.key]();
});

function inDialog(event, dialog) {
  const radios = $$("input[type=radio]", dialog);
  const typing = event.target.closest("textarea, input:not([type=radio], [type=checkbox]), select");
  if (!typing && radios[Number(event.key) - 1]) {
    radios[Number(event.key) - 1].checked = true;
    radios[Number(event.key) - 1].focus();
    event.preventDefault();
  } else if (event.key === "Enter" && (event.target.type === "radio")) {
    event.preventDefault();
    $("form", dialog).requestSubmit();
  }
}

/* News. */

const fresh = new Set();

function showFresh() {
  const button = $("#fresh");
  if (!button) return;
  button.hidden = fresh.size === 0;
  button.textContent = fresh.size === 1 ? button.dataset.one : button.dataset.many.replace("{n}", fresh.size);
}

function loadNews() {
  const queue = $("#queue");
  if (!queue) return;
  const was = current() && numberOf(current());
  htmx.ajax("GET", queue.dataset.address, { target: "#queue", swap: "outerHTML show:none" }).then(() => {
    const row = was && $(`#alert-${was}`);
    if (row) { row.classList.add("on"); $(".open", row).setAttribute("aria-current", "true"); }
  });
}

function hear(news) {
  for (const number of news.new) fresh.add(number);
  if (news.new.length) showFresh();
  const shown = Number(shownAlert());
  for (const number of news.changed) if ($(`#alert-${number}`)) stale.rows.add(number);
  // Findings that come in may belong to what is open, and to what the list shows of it.
  if (shown && (news.moved || news.changed.includes(shown))) stale.shown = true;
  if (news.new.length || news.changed.length) stale.counts = true;
  if (news.reload) loadNews();
  if (stale.rows.size || stale.shown || stale.counts) refreshSoon();
  if (news.new.length || news.changed.length || news.reload) htmx.trigger(document.body, "haidang:news");
}

/* What is open is kept true: parts that the server renders anew take the place of those that differ. At most
   each few seconds, less often where the answer takes long, and not while nobody looks. */

const REST = 4000;
const stale = { rows: new Set(), shown: false, counts: false };
let planned = 0, rested = 0;

function refreshSoon() {
  if (!planned && !document.hidden) planned = setTimeout(refresh, Math.max(150, rested - Date.now()));
}

async function refresh() {
  const queue = $("#queue");
  const query = new URLSearchParams(queue && stale.counts ? new URL(queue.dataset.address, location.href).search : "");
  if (queue && stale.counts) query.set("facets", "1");
  for (const number of [...stale.rows].slice(0, 100)) query.append("id", number);
  const open = $("#detail [data-alert]");
  const stamp = open && $("[data-stamp]", open);
  if (stamp && stale.shown) {
    query.set("shown", open.dataset.alert);
    query.set("stamp", stamp.dataset.stamp);
    query.set("count", open.dataset.count);
    if ($(`#alert-${open.dataset.alert}`)) query.append("id", open.dataset.alert);
  }
  stale.rows.clear();
  stale.shown = stale.counts = false;
  const begun = Date.now();
  try {
    const answer = await fetch(`${location.origin}/alerts/now/?${query}`, { headers: { "HX-Request": "true" } });
    // Signed out meanwhile, or the service is away: the page says so when somebody does something.
    if (answer.ok && !answer.redirected) {
      const parts = new DOMParser().parseFromString(await answer.text(), "text/html");
      for (const part of [...parts.body.children]) replacePart(part);
      showTicked();
    }
  } catch { /* the next news ask again */ }
  rested = Date.now() + Math.max(REST, Math.min(30_000, 10 * (Date.now() - begun)));
  planned = 0;
  if (stale.rows.size || stale.shown || stale.counts) refreshSoon();
}

function replacePart(part) {
  const old = part.id && document.getElementById(part.id);
  if (!old) return;
  part = document.importNode(part, true);
  if (old.classList.contains("row")) {
    // Which row is current, and which are ticked, is the person's, not the server's.
    part.classList.toggle("on", old.classList.contains("on"));
    const [was, is] = [$(".open", old), $(".open", part)];
    if (was.hasAttribute("aria-current")) is.setAttribute("aria-current", was.getAttribute("aria-current"));
    $("input", part).checked = $("input", old).checked;
  }
  if (old.isEqualNode(part)) return;
  const focused = old.contains(document.activeElement) && document.activeElement;
  old.replaceWith(part);
  htmx.process(part);
  if (!focused) return;
  const { id, name, dataset } = focused;
  const again = (id && document.getElementById(id)) || (dataset.act && $(`[data-act="${dataset.act}"]`, part))
    || (name && $(`[name="${name}"]`, part)) || (focused.classList.contains("open") && $(".open", part)) || $("#detail");
  again?.focus({ preventScroll: true });
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden && (stale.rows.size || stale.shown || stale.counts)) refreshSoon();
});

document.addEventListener("DOMContentLoaded", () => {
  hush.observe(document.body, { childList: true, subtree: true, characterData: true });
  const address = document.body.dataset.events;
  if (address && "EventSource" in window) {
    const source = new EventSource(address);
    source.addEventListener("news", (event) => hear(JSON.parse(event.data)));
    source.addEventListener("open", () => { document.documentElement.dataset.live = "1"; });
    addEventListener("pagehide", () => source.close());
  }
  if ($("#list") && matchMedia("(min-width: 1001px)").matches && rows().length) {
    // The first is at hand, but not opened: looking at evidence is recorded, and nobody has asked yet.
    $(".open", rows()[0]).focus({ preventScroll: true });
  }
});
