// Putting it together: draw what changed, listen to keys, and begin.

function say(text) {
  $("live").textContent = text;
}

/** Draw everything that filters change; the focus stays on the control that was used. */
function render() {
  const key = document.activeElement?.dataset?.key;
  showLevels();
  showMatrix();
  showPivot();
  showRules();
  showFacets();
  showChips();
  showTime();
  showMoves();
  showRare();
  showGrid();
  showDetail();
  if (key) document.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

function changed() {
  applyFilters();
  render();
  writeAddress();
  say($("shown").textContent);
  // When the page is scrolled into the old list, go to the beginning of the new one.
  const top = $("findings").getBoundingClientRect().top;
  if (top < 0) scrollTo(0, scrollY + top - $("bar").offsetHeight);
}

function clearAll() {
  clearChosen();
  $("search").value = "";
  changed();
}

function pageKeys(event) {
  const typing = event.target.matches("input, textarea, select");
  if (event.key === "Escape") {
    if (typing) event.target.blur();
    else if (document.body.classList.contains("facets-open")) showFacetSheet(false);
    else if (!$("help").open) closeFinding();
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || $("help").open) return;
  const inGrid = event.target === $("grid");
  const act = {
    "/": () => { $("search").focus(); $("search").select(); },
    "?": () => $("help").showModal(),
    j: () => goTo(grid.at + 1),
    k: () => goTo(Math.max(0, grid.at - 1)),
    c: () => copyOpen(),
    l: () => copyLink(),
    x: clearAll,
    ...(inGrid ? {
      ArrowDown: () => goTo(grid.at + 1),
      ArrowUp: () => goTo(Math.max(0, grid.at - 1)),
      PageDown: () => goTo(grid.at + 20),
      PageUp: () => goTo(Math.max(0, grid.at - 20)),
      Home: () => goTo(0),
      End: () => goTo(grid.total - 1),
      Enter: () => { goTo(Math.max(0, grid.at)); $("detail").focus(); },
    } : {}),
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
}

function showFacetSheet(open) {
  document.body.classList.toggle("facets-open", open);
  $("facets-open").setAttribute("aria-expanded", String(open));
  if (open) $("facets-close").focus();
}

function listen() {
  let typing = 0;
  $("search").addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => { chosen.text = $("search").value.trim(); changed(); }, 120);
  });
  $("clear").addEventListener("click", clearAll);
  $("view-link").addEventListener("click", () => copyText(location.href, $("view-link")));
  $("moves-card").addEventListener("toggle", showMoves);
  $("rare-card").addEventListener("toggle", showRare);
  $("theme").addEventListener("click", () => {
    chosenTheme = root.dataset.theme === "dark" ? "light" : "dark";
    remembered("haidang-theme", chosenTheme);
    setTheme(chosenTheme);
    drawTime();
  });
  systemDark.addEventListener("change", (event) => {
    if (!chosenTheme) setTheme(event.matches ? "dark" : "light");
    drawTime();
  });
  $("keys").addEventListener("click", () => $("help").showModal());
  $("help-close").addEventListener("click", () => $("help").close());
  $("facets-open").addEventListener("click", () => showFacetSheet(true));
  $("facets-close").addEventListener("click", () => showFacetSheet(false));
  $("rules-more").addEventListener("click", () => { allRules = !allRules; showRules(); });
  $("grid").addEventListener("focus", () => { if (grid.at < 0) $("grid").removeAttribute("aria-activedescendant"); });
  document.addEventListener("keydown", pageKeys);
  let drawing = false;
  const later = () => {
    if (drawing) return;
    drawing = true;
    requestAnimationFrame(() => { drawing = false; drawRows(); });
  };
  addEventListener("scroll", later, { passive: true });
  addEventListener("resize", () => { showGrid(); showMoves(); });
  addEventListener("hashchange", () => {
    readAddress();
    applyFilters();
    render();
    $("search").value = chosen.text;
    say($("shown").textContent);
  });
  addEventListener("beforeprint", beforePrint);
  addEventListener("afterprint", afterPrint);
  new ResizeObserver(() => root.style.setProperty("--bar", `${$("bar").offsetHeight}px`)).observe($("bar"));
}

async function start() {
  head = JSON.parse($("head").textContent);
  numberFormat = new Intl.NumberFormat(head.lang);
  showFacts();
  try {
    await unpack((share) => { $("verdict").textContent = `${_("Reading the findings …")} ${Math.round(share * 100)} %`; });
  } catch (error) {
    $("failed").hidden = false;
    $("verdict").textContent = "";
    throw error;
  }
  await unpackTrails();
  folder = sharedFolder(store.files.filter((path) => path));
  readAddress();
  showVerdict();
  showRead();
  startTime();
  $("search").value = chosen.text;
  applyFilters();
  listen();
  render();
  if (grid.at >= 0) scrollToPosition(grid.at);
  root.dataset.ready = performance.now().toFixed(0);
  prepareSearch();
}

document.addEventListener("DOMContentLoaded", start);
