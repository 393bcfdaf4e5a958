// The key trainer: asks for answers one by one and counts the right ones. Sends and stores nothing.

const place = document.getElementById("workplace");
const exercises = JSON.parse(place.dataset.exercises);
const prompts = JSON.parse(place.dataset.prompts);
const form = jurybox.form;
const find = (name) => place.querySelector(`[data-${name}]`);
const item = { turns: 0, kind: "prompt" };
let at = 0;
let right = 0;
let failed = false;

function show() {
  const exercise = exercises[at];
  find("exercise").hidden = !exercise;
  find("done").hidden = Boolean(exercise);
  form.begin(item, {});
  form.activateNext();
  if (!exercise) return;
  find("prompt").textContent = prompts[at % prompts.length];
  find("say").textContent = exercise.say;
  find("keys").replaceChildren(...exercise.keys.map(keycap));
}

function keycap(key) {
  const copy = place.querySelector("template").content.cloneNode(true);
  copy.querySelector("kbd").textContent = key;
  return copy;
}

function judge(good) {
  if (good && !failed) right += 1;
  failed = !good;
  if (good) at += 1;
  find("right").textContent = right;
  for (const result of place.querySelectorAll("[data-result]")) result.hidden = result.dataset.result !== (good ? "right" : "wrong");
  show();
}

function submit() {
  const exercise = exercises[at];
  if (!exercise) return;
  const given = form.collect();
  judge(!exercise.command && Object.entries(exercise.want).every(([name, values]) => String(given[name]) === String(values)));
}

jurybox.answer({ digit: form.choose, enter: submit, move: form.move, elements: form.asked });
for (const name of ["undo", "skip", "spare", "flag"]) {
  jurybox.command(name, { down: () => exercises[at] && judge(exercises[at].command === name) });
}
form.element().addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
show();
jurybox.resume();
