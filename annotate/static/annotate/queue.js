// The items that this page holds: a few leased ones in memory, filled up from the server before they run out, given
// back when the page goes. Their text is never stored.

const place = document.getElementById("workplace");
const outbox = jurybox.outbox;
const LOW = 5;
const ACTIVE = 60 * 60 * 1000;
const leases = new Map();
// What was answered, skipped or flagged here: a reply that was under way meanwhile must not bring it back.
const done = new Set();
let entries = [];
let filling = false;
let onceMore = false;
let wait = 0;
let touched = Date.now();

const keyOf = (item) => `${item.id}.${item.repeat}`;

// An entry is one item on this page: {key, item, html, sent: answers stored, back: it was answered before}.
function entryOf(given) {
  const { html, answers, ...item } = given;
  return { key: keyOf(item), item, html, sent: answers ?? null, back: Boolean(answers) };
}

async function refill() {
  if (filling) return void (onceMore = true);
  filling = true;
  const unsent = outbox.count;
  const { state, said } = await outbox.post(place.dataset.queue, []);
  filling = false;
  jurybox.tell("way", { state });
  if (state !== "ok") return later();
  wait = 0;
  take(said);
  const nothing = !said.items.length && !unsent && !outbox.count;
  jurybox.tell("queue", { nothing: nothing && !onceMore, html: said.empty, mine: said.mine, rules: said });
  if (onceMore || (!said.items.length && !nothing)) again();
}

// Something was stored while we asked, which may have opened more.
function again() {
  onceMore = false;
  if (!outbox.count) refill();
}

function later() {
  onceMore = false;
  wait = Math.min(30_000, Math.max(1000, wait * 2));
  setTimeout(refill, wait);
}

function take(said) {
  for (const given of said.items) {
    leases.set(given.assignment, given.leased_until);
    const entry = entryOf(given);
    const known = entries.some((one) => one.key === entry.key) || jurybox.queue.shows(entry.key);
    if (!known && !done.has(entry.key) && !outbox.holds(entry.key)) entries.push(entry);
  }
}

// Gives back what was never shown. A lease that a newer page has made longer stays there.
function release() {
  const unseen = entries.filter((one) => !one.seen && !one.back && !outbox.draft(one.key));
  entries = entries.filter((one) => !unseen.includes(one));
  if (!unseen.length) return;
  const held = unseen.map((one) => ["held", `${one.item.assignment} ${leases.get(one.item.assignment)}`]);
  const sent = [["csrfmiddlewaretoken", outbox.token()], ["person", outbox.user], ...held];
  navigator.sendBeacon(place.dataset.release, new URLSearchParams(sent));
}

jurybox.queue = {
  keyOf, entryOf, refill,
  // The page says here which item it shows.
  shows: () => false,
  next() {
    const entry = entries.shift();
    if (entry && entries.length <= LOW) refill();
    return entry;
  },
  front(entry) {
    entries = [entry, ...entries.filter((one) => one.key !== entry.key)];
  },
  find: (key) => entries.find((one) => one.key === key),
  drop(key) {
    entries = entries.filter((one) => one.key !== key);
  },
  finish: (key) => done.add(key),
};

document.addEventListener("jurybox:stored", () => entries.length <= LOW && refill());
document.addEventListener("jurybox:refused", (event) => {
  done.delete(event.detail.item);
  if (entries.length <= LOW) refill();
});
document.addEventListener("jurybox:leaving", release);
addEventListener("pagehide", release);
addEventListener("pageshow", (event) => event.persisted && refill());
for (const kind of ["keydown", "pointerdown"]) addEventListener(kind, () => (touched = Date.now()), true);
// Asking makes the leases longer; not for somebody who left the page open and went home.
const third = (Number(place.dataset.leaseMinutes) * 60_000) / 3;
setInterval(() => Date.now() - touched < ACTIVE && refill(), third);
