// The annotate page: one item after the other from the queue, answers into the outbox. Everything works without
// scripts too; with them no key waits for the server. Loaded last, when all its parts are there.

const place = document.getElementById("workplace");
const part = (name) => document.getElementById(name);
const field = (name) => part("answers").elements.namedItem(name);
const { clock, form, history, notices, outbox, queue } = jurybox;

// The entry on the page, or null while there is none; see queue.js for what an entry is.
let current = null;
// Changed by the person since it is shown: only then may it be sent by itself.
let touched = false;

// ---- showing -------------------------------------------------------------------------------------------------

function heading(name) {
  for (const text of document.querySelectorAll("[data-heading]")) text.hidden = text.dataset.heading !== name;
}

// Focus goes to the heading, so that screen readers begin there; the text stays where eyes expect it.
function focusHeading() {
  const title = part("item-heading");
  title.blur();
  title.focus({ preventScroll: true });
  title.scrollIntoView({ block: "nearest" });
}

function present(entry, { swap = true } = {}) {
  current = entry;
  entry.seen = true;
  const element = part("item");
  if (swap) element.innerHTML = entry.html;
  const { id, repeat, kind, turns } = entry.item;
  Object.assign(element.dataset, { item: id, repeat, kind, turns });
  reveal(true);
  heading(entry.back ? "again" : "new");
  for (const control of document.querySelectorAll("[data-first-time]")) control.hidden = entry.back;
  document.querySelector("[data-leave]").hidden = !entry.back;
  fillForm(entry);
  clock.start(entry.spent);
  jurybox.tell("item", { item: entry.item, element });
  form.activateNext();
  focusHeading();
  jurybox.resume();
}

function reveal(on) {
  for (const name of ["item", "answers", "flag"]) part(name).hidden = !on;
  part("flag").open = false;
  part("empty").hidden = true;
  part("no-more").hidden = true;
  document.querySelector("[data-missing]").hidden = true;
}

function fillForm(entry) {
  field("client_id").value = newId();
  field("repeat").value = entry.item.repeat;
  field("veil").value = "";
  form.begin(entry.item, entry.sent ?? {});
  entry.untouched = JSON.stringify(form.collect());
  const draft = outbox.draft(entry.key);
  if (draft) form.restore(draft);
  touched = false;
}

// crypto.randomUUID is missing on plain-http hosts other than localhost.
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

function advance() {
  const entry = queue.next();
  if (entry) return present(entry);
  // Keys wait until the server has said what comes next, or that nothing does.
  current = null;
  jurybox.hold();
  reveal(false);
  heading("wait");
  queue.refill();
}

function showNothing(html) {
  current = null;
  reveal(false);
  heading("none");
  part("empty").innerHTML = html;
  part("empty").hidden = false;
  jurybox.drop();
  focusHeading();
}

function onQueue({ detail }) {
  document.querySelector("[data-mine]").textContent = detail.mine;
  const asked = (name) => String(detail.rules[name] ?? "") === field(name).value;
  part("new-rules").hidden = asked("taxonomy_version") && asked("guideline");
  if (current) return;
  const entry = queue.next();
  if (entry) present(entry);
  else if (detail.nothing) showNothing(detail.html);
}

// ---- sending -------------------------------------------------------------------------------------------------

function send(kind, fields) {
  const { item, key } = current;
  const url = place.dataset[kind].replace("/0/", `/${item.id}/`);
  queue.finish(key);
  outbox.dropDraft(key);
  outbox.add({ kind, url, item: key, body: [["client_id", field("client_id").value], ["repeat", item.repeat], ...fields] });
}

function submit() {
  if (!current || notices.teaching) return;
  const open = form.missing();
  document.querySelector("[data-missing]").hidden = !open;
  if (open) return form.activate(open);
  const answers = form.collect();
  // An item answered before, and nothing changed: nothing to send.
  if (current.back && JSON.stringify(answers) === current.untouched) return leave();
  const rules = ["taxonomy_version", "guideline", "veil"].map((name) => [name, field(name).value]);
  const given = Object.entries(answers).flatMap(([name, values]) => values.map((value) => [name, value]));
  send("submit", [...rules, ["seconds", (clock.tick() / 1000).toFixed(1)], ...given]);
  current.sent = answers;
  history.remember(current);
  if (current.item.warm_up) notices.teach(current.key);
  else advance();
}

// On from an item that was answered before and stays as it was.
function leave() {
  outbox.dropDraft(current.key);
  history.remember(current);
  advance();
}

function giveBack(kind) {
  if (!current || notices.teaching) return;
  if (current.back) return leave();
  send(kind, []);
  advance();
}

// A flag also ends the item here; one that nobody should see again can't be gone back to either.
function flag(fields) {
  if (!current || notices.teaching) return;
  const { key, back } = current;
  send("flag", fields);
  if (back && !fields.some(([, value]) => value === "not_again")) history.remember(current);
  else history.drop(key);
  advance();
}

jurybox.page = {
  present, advance, flag, focusHeading,
  // Before another item is shown: the one on the page goes first in line. A warm-up item that was sent does not.
  layAside(key) {
    if (current && !notices.teaching && current.key !== key) {
      current.spent = clock.tick();
      queue.front(current);
    }
    notices.stopTeaching();
  },
  // Keys go on where there is something for them; else they wait for the queue.
  settle() {
    if (current || !part("empty").hidden) jurybox.resume();
  },
};

// ---- keys and clicks -------------------------------------------------------------------------------------------

jurybox.answer({
  digit(number) {
    if (!current) return;
    form.choose(number);
    if (jurybox.preferences.auto_advance && touched && !form.missing() && !form.waits()) submit();
  },
  enter: submit,
  move: form.move,
  elements: () => (current ? form.asked() : []),
});
jurybox.command("skip", { down: () => giveBack("skip") });
jurybox.command("spare", { down: () => giveBack("spare") });
jurybox.command("guidelines", { down: () => part("guidelines") && (part("guidelines").open = !part("guidelines").open) });
jurybox.command("help", { down: () => part("keys").showModal() });

document.addEventListener("jurybox:answered", () => {
  touched = true;
  document.querySelector("[data-missing]").hidden = true;
  if (current && !notices.teaching) outbox.keepDraft(current.key, form.collect());
});
document.addEventListener("input", (event) => {
  if (event.target.matches("#answers textarea")) jurybox.tell("answered");
});
document.addEventListener("jurybox:queue", onQueue);
document.addEventListener("click", (event) => {
  const control = event.target.closest("[data-command]");
  if (!control && !(event.target.closest("[data-leave]") && current?.back)) return;
  event.preventDefault();
  if (control) jurybox.run(control.dataset.command);
  else leave();
});
part("answers").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
// Enter makes new lines in a text; with Ctrl it submits, and Escape leaves the text.
part("answers").addEventListener("keydown", (event) => {
  if (!event.target.matches("textarea") || event.isComposing) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit();
  else if (event.key === "Escape") focusHeading();
});
part("keys-off").checked = !jurybox.singleKeys;
part("keys-off").addEventListener("change", (event) => (jurybox.singleKeys = !event.target.checked));

// ---- beginning -------------------------------------------------------------------------------------------------

function begin() {
  queue.shows = (key) => current?.key === key;
  for (const control of document.querySelectorAll("button[data-command]:not([data-first-time])")) control.hidden = false;
  notices.show();
  const given = part("item").dataset;
  if (!given.facts) return outbox.count ? advance() : showNothing(part("empty").innerHTML);
  const item = { ...JSON.parse(given.facts), assignment: Number(given.assignment) };
  const html = part("item").innerHTML;
  const entry = { key: queue.keyOf(item), item, html, sent: JSON.parse(given.answers), back: "again" in given };
  // The server does not know yet that it was answered.
  if (outbox.holds(entry.key)) return queue.finish(entry.key), advance();
  present(entry, { swap: false });
  queue.refill();
}
begin();
