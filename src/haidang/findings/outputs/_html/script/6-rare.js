// Rare and new values: what key fields hold in few of the findings that pass the filters. The evidence has to be
// decoded for it, so it is gone through in slices while the card is open, and begun again when the filters change.

const KEY_FIELDS = new Set(
  ("image parentimage originalfilename targetfilename targetobject servicename servicefilename imagepath taskname "
  + "destinationip destinationhostname queryname query sourceip ipaddress workstationname user subjectusername "
  + "targetusername hashes imphash pipename details scriptblockid company product signature exe comm name acct addr "
  + "key id.resp_h id.resp_p id_resp_h host uri user_agent useragent server_name path cs-host cs-uri-stem "
  + "c-useragent c-ip sourceipaddress eventname eventsource userprincipalname sharename relativetargetname "
  + "logonprocessname authenticationpackagename parentcommandline commandline program md5 sha256 "
  // Firewalls, sensors, proxies, web, mail and VPNs
  + "src_ip dst_ip src dst srcip dstip remip srccountry dstcountry dest_ip src_host client client_ip peer url request dhost "
  + "hostname qname attack virus threatid signature alert.signature tls.sni http.hostname http.http_user_agent user_agent "
  + "cs-username cs(user-agent) cs-user-agent sasl_username suser duser srcuser requestclientapplication modsecurity_msg "
  // Clouds, identity, code and Kubernetes
  + "ipaddress clientip clientipaddress actoripaddress callerip calleripaddress client.ipaddress actor_ip ip_address sourceips "
  + "operation operationname activitydisplayname methodname eventtype events.name action objectref.resource objectref.name "
  + "useridentity.arn useridentity.username userid actor actor.alternateid actor.email author_name user.username principalemail "
  + "location.countryorregion client.geographicalcontext.country client.useragent.rawuseragent actor_location.country_code "
  + "appdisplayname resourcedisplayname clientappused devicedetail.displayname applicationid errorcode errormessage "
  + "requestparameters.rolearn requestparameters.policyarn repo org awsregion").split(" "),
);
const RARE = 3;
const MOST_RARE = 40;
const SLICE_MS = 12;
const rare = { run: 0, order: "rare", found: null, rows: null };

function showRare() {
  const card = $("rare-card");
  card.hidden = !store.n;
  if (card.hidden || !card.open) return;
  if (rare.rows === view.rows) {
    listRare();
    return;
  }
  rare.run += 1;
  rare.rows = view.rows;
  rare.found = null;
  $("rare-note").textContent = _("Counting …");
  countRare(rare.run, 0, new Map());
}

function countRare(run, at, values) {
  if (run !== rare.run) return;
  const rows = rare.rows;
  const end = performance.now() + SLICE_MS;
  let i = at;
  while (i < rows.length) {
    countValues(rows[i], values);
    i += 1;
    if (i % 64 === 0 && performance.now() > end) break;
  }
  if (i < rows.length) {
    $("rare-note").textContent = `${_("Counting …")} ${Math.round((i / rows.length) * 100)} %`;
    setTimeout(() => countRare(run, i, values), 0);
    return;
  }
  rare.found = [...values.values()].filter((value) => value.n <= RARE);
  rare.kinds = values.size;
  listRare();
}

function countValues(row, values) {
  const { event } = evidence(row, false);
  const ms = store.time[row];
  const seen = new Set();
  for (const [field, value] of fieldsOf(event)) {
    const text = String(value);
    if (!text || text === "-" || text.length > 400) continue;
    const key = `${field.toLowerCase()}\n${text.toLowerCase()}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const known = values.get(key);
    if (!known) values.set(key, { field, text, n: 1, first: ms, row });
    else {
      known.n += 1;
      if (ms < known.first || Number.isNaN(known.first)) Object.assign(known, { first: ms, row });
    }
  }
}

/** The key fields of an event with their values: those of objects go by their path, lists by each element. */
function* fieldsOf(node, path = "", depth = 0) {
  for (const [name, value] of Object.entries(node)) {
    const field = path + name;
    for (const one of Array.isArray(value) ? value.slice(0, 20) : [value]) {
      if (one && typeof one === "object") {
        if (depth < 5) yield* fieldsOf(one, `${field}.`, depth + 1);
      } else if ((typeof one === "string" || typeof one === "number") && isKeyField(field.toLowerCase())) {
        yield [field, one];
      }
    }
  }
}

// Exports wrap the same fields in objects of their own.
const WRAPPED = /^(?:properties|data|protopayload|requestmetadata|authenticationinfo|event|details)\./;

function isKeyField(path) {
  for (let name = path; ; name = name.replace(WRAPPED, "")) {
    if (KEY_FIELDS.has(name)) return true;
    if (!WRAPPED.test(name)) return false;
  }
}

function listRare() {
  if (!rare.found) return;
  const level = (value) => store.level[store.rule[value.row]];
  const time = (value) => (Number.isNaN(value.first) ? -Infinity : value.first);
  const order = rare.order === "rare"
    ? (a, b) => level(a) - level(b) || a.n - b.n || time(a) - time(b)
    : (a, b) => time(b) - time(a);
  const list = [...rare.found].sort(order);
  $("rare-note").textContent = _("{n} of {all}", { n: number(list.length), all: number(rare.kinds) });
  const choice = (key, word) => h("button.quiet", { type: "button", "aria-pressed": String(rare.order === key), "data-key": `rare-${key}`, onclick: () => { rare.order = key; render(); } }, word);
  const rows = list.slice(0, MOST_RARE).map((value) => [
    levelMark(level(value)), h("bdi", {}, shown(value.field)), rareValue(value), number(value.n), moment(value.first, 2), h("bdi", { title: plain(store.hosts[store.host[value.row]]) }, shown(label(store.hosts[store.host[value.row]]) || "—")),
  ]);
  fill($("rare"),
    h("p.dim", {}, _("Values of key fields that at most {n} of the findings shown have; what is rare is worth a look first.", { n: RARE })),
    h("div.choices", {}, choice("rare", _("Gravest first")), choice("new", _("Newest first"))),
    rows.length ? table(_("Rare and new values"), [[_("Level")], [_("Field")], [_("Value"), "path"], [_("Hits"), "num"], [_("First seen"), "when"], [_("Host"), "when"]], rows) : h("p.dim", {}, _("No value is that rare.")),
    unlisted(list.length - rows.length));
}

function rareValue(value) {
  return h("button.linklike.pivot", { type: "button", onclick: () => { if (value.n === 1) showRow(value.row); else searchFor(value.text); } }, h("bdi", {}, shown(clipped(value.text, 160))));
}

function searchFor(text) {
  chosen.text = `"${text.replaceAll("\"", " ").trim()}"`;
  $("search").value = chosen.text;
  changed();
}
