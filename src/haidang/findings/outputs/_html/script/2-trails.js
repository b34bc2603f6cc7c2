// Trails: which hosts and users are meant by a name, the moves between hosts, and the processes around the
// findings. What the run gathered of them is one packed block; it is all untrusted.

const trails = { starts: [], moves: [], addresses: {}, lost: [0, 0] };

async function unpackTrails() {
  const element = $("trails");
  Object.assign(trails, JSON.parse(await inflate(fromBase64(element.textContent))));
  element.remove();
  nameEverybody();
}

const folded = (name) => name.toLowerCase().replace(/\.$/, "");
const label = (name) => (/^[\d.]+$|[:/ ]/.test(name) ? name : name.split(".")[0]);

const places = new Map(); // folded name of a host, or an address, to {key, name, hosts, addresses}
const accounts = new Map(); // folded name of a user, with or without its domain, to its number; -1 where unclear

function nameEverybody() {
  store.names.forEach((name, i) => {
    if (name) placeOf(store.hosts[store.machine[i]], store.machine[i], name);
  });
  for (const [address, host] of Object.entries(trails.addresses)) {
    const place = placeNamed(host);
    const other = places.get(address);
    place.addresses.add(address);
    // Some logs know the host by its address alone: both are one place.
    if (other && other !== place) for (const machine of other.hosts) place.hosts.add(machine);
    places.set(address, place);
  }
  store.users.forEach((name, i) => {
    for (const key of new Set([folded(name), bareUser(name)])) {
      accounts.set(key, accounts.has(key) && key !== folded(name) ? -1 : i);
    }
  });
}

const bareUser = (name) => folded(name).split("\\").pop().split("@")[0];

function placeOf(name, machine, alias) {
  let place = places.get(`#${machine}`);
  if (!place) {
    place = { key: `#${machine}`, name, hosts: new Set([machine]), addresses: new Set() };
    places.set(place.key, place);
  }
  const key = folded(alias);
  places.set(key, place);
  // A name without its domain means the one host of that name; where there are two, neither.
  const short = label(key);
  if (short !== key) places.set(short, places.has(short) && places.get(short) !== place ? null : place);
  return place;
}

/** The place that a name or an address in a log means; a new one for what no finding speaks of. */
function placeNamed(name) {
  const key = folded(name);
  let place = places.get(key) || places.get(label(key));
  if (!place) {
    place = { key, name, hosts: new Set(), addresses: new Set() };
    places.set(key, place);
  }
  return place;
}

/** The filter that a value of an event stands for: [kind, items], or null. */
function pivotOf(text) {
  if (typeof text !== "string" || !text || text.length > 300) return null;
  const place = places.get(folded(text));
  if (place && place.hosts.size) return ["host", [...place.hosts]];
  const user = accounts.get(folded(text));
  return user >= 0 ? ["user", [user]] : null;
}

/** Choose hosts or users, nothing else of that kind. */
function pivotTo(kind, items) {
  const same = chosen[kind].size === items.length && items.every((item) => chosen[kind].has(item));
  chosen[kind] = new Set(same ? [] : items);
  // Where the finding lies over the page, it would hide what was asked for.
  if (innerWidth <= 1180) closeFinding();
  changed();
  if (!same && !$("pivot-card").hidden) $("pivot-card").scrollIntoView({ block: "start" });
}

function placeButton(place) {
  if (!place.hosts.size) return h("bdi", {}, shown(place.name));
  return h("button.linklike.pivot", { type: "button", onclick: () => pivotTo("host", [...place.hosts]) }, h("bdi", {}, shown(place.name)));
}

function userButton(name) {
  const user = accounts.get(folded(name)) ?? accounts.get(bareUser(name)) ?? -1;
  if (user < 0) return h("bdi", {}, shown(name));
  return h("button.linklike.pivot", { type: "button", onclick: () => pivotTo("user", [user]) }, h("bdi", {}, shown(name)));
}
