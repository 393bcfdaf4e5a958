// Going back: the last items answered, one by one with undo, or from their list. What was on the page meanwhile
// waits first in line, with the answers begun.

const place = document.getElementById("workplace");
const part = (name) => document.getElementById(name);
const { form, outbox, queue } = jurybox;
const STEPS = 10;
let entries = [];
let asked = false;

function remember(entry) {
  entry.back = true;
  entry.spent = 0;
  entries = [...entries.filter((one) => one.key !== entry.key), entry].slice(-STEPS);
  show();
}

function show() {
  const list = document.querySelector("[data-history]");
  const row = part("history").querySelector("template");
  list.replaceChildren();
  for (const entry of [...entries].reverse()) {
    const copy = row.content.cloneNode(true);
    copy.querySelector("[data-verdict]").textContent = form.words(entry.sent ?? {}).join(", ") || "…";
    copy.querySelector("button").addEventListener("click", () => goBackTo(entry));
    list.append(copy);
  }
  part("history").hidden = !entries.length;
}

function drop(key) {
  entries = entries.filter((one) => one.key !== key);
  show();
}

function goBackTo(entry) {
  drop(entry.key);
  queue.drop(entry.key);
  jurybox.page.layAside(entry.key);
  jurybox.page.present(entry);
}

// After a reload the server knows what was answered last.
async function ask() {
  jurybox.hold();
  const { state, said } = await outbox.post(place.dataset.undo, []);
  asked = state === "ok";
  const here = (entry) => queue.shows(entry.key) || queue.find(entry.key) || outbox.holds(entry.key);
  if (said?.items) entries = said.items.reverse().map(queue.entryOf).filter((entry) => !here(entry));
  show();
}

async function undo() {
  if (!entries.length && !asked) await ask();
  const entry = entries.at(-1);
  if (entry) goBackTo(entry);
  else part("no-more").hidden = false;
  jurybox.page.settle();
}

// An item by its key, wherever it is now.
async function reopen(key) {
  const known = entries.find((one) => one.key === key) ?? queue.find(key);
  if (known) return goBackTo(known);
  if (queue.shows(key)) return form.restore(outbox.draft(key) ?? {});
  const [id, repeat] = key.split(".");
  jurybox.hold();
  const asking = fetch(`${place.dataset.reopen.replace("/0/", `/${id}/`)}?repeat=${repeat}`, {
    headers: { Accept: "application/json" },
    redirect: "manual",
  });
  const given = await asking.then((answer) => (answer.ok ? answer.json() : null)).catch(() => null);
  if (given) goBackTo(queue.entryOf(given));
  jurybox.page.settle();
}

jurybox.history = { remember, drop, undo, reopen };
jurybox.command("undo", { down: undo });
