// What the server says of items that are answered already: explained, not stored, new rules, not reachable.

const place = document.getElementById("workplace");
const part = (name) => document.getElementById(name);
const { outbox } = jurybox;
const goOnButton = part("feedback").querySelector("[data-go-on]");
// A warm-up item whose explanation has to be read before the page goes on: its key.
let teaching = null;

function teach(key) {
  teaching = key;
  for (const question of jurybox.form.open()) question.disabled = true;
}

function stopTeaching() {
  teaching = null;
  goOnButton.hidden = true;
}

function goOn() {
  stopTeaching();
  jurybox.page.advance();
}

// While a warm-up item is explained only going on, going back and the commands are open.
jurybox.first((event) => {
  if (!teaching || !/^(Enter|[0-9])$/.test(event.key)) return false;
  if (event.key === "Enter" && !goOnButton.hidden) goOn();
  return true;
});

const ofThisProject = (handler) => (event) => event.detail.slug === place.dataset.slug && handler(event.detail);

function onStored({ kind, item, mine, feedback }) {
  document.querySelector("[data-mine]").textContent = mine;
  if (kind !== "submit") return;
  if (feedback) {
    part("feedback").querySelector("[data-feedback]").innerHTML = feedback;
    part("feedback").dataset.item = item;
    part("feedback").hidden = false;
    goOnButton.hidden = item !== teaching;
    if (item === teaching) goOnButton.focus();
  } else if (item === teaching) goOn();
}

function onRefused({ kind, item, answers }) {
  // However the item comes back, its answers come with it.
  if (kind === "submit") outbox.keepDraft(item, answers);
  if (item === teaching) goOn();
  showRefused();
}

function showRefused() {
  const section = part("not-stored");
  const refused = outbox.refused();
  section.querySelector("ul").replaceChildren(...refused.map((one) => lineOf(section, one)));
  section.hidden = !refused.length;
}

function lineOf(section, refused) {
  const copy = section.querySelector("template").content.cloneNode(true);
  const standard = section.querySelector("[data-standard]").textContent;
  copy.querySelector("[data-reason]").textContent = refused.problem || standard;
  copy.querySelector("[data-again]").addEventListener("click", () => {
    outbox.forget(refused.name);
    showRefused();
    jurybox.history.reopen(refused.item);
  });
  copy.querySelector("[data-forget]").addEventListener("click", () => {
    outbox.forget(refused.name);
    outbox.dropDraft(refused.item);
    showRefused();
  });
  return copy;
}

function showUnsent() {
  const status = document.querySelector("[data-unsent]");
  status.hidden = !outbox.count;
  status.querySelector("[data-count]").textContent = outbox.count;
}

function onWay({ state }) {
  part("signed-out").hidden = state !== "signed-out";
  part("offline").hidden = state !== "later";
}

jurybox.notices = {
  teach, stopTeaching,
  get teaching() {
    return teaching;
  },
  show() {
    showRefused();
    showUnsent();
  },
};
jurybox.command("change_mind", {
  down() {
    const { item } = part("feedback").dataset;
    if (item) jurybox.history.reopen(item);
    else jurybox.history.undo();
  },
});
goOnButton.addEventListener("click", goOn);
document.addEventListener("jurybox:stored", ofThisProject(onStored));
document.addEventListener("jurybox:refused", ofThisProject(onRefused));
document.addEventListener("jurybox:way", (event) => onWay(event.detail));
document.addEventListener("jurybox:outbox", showUnsent);
