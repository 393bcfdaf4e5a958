// Questions about single turns, beside each turn: what is chosen there is chosen in the form, which holds the answers.
// Without scripts only the form's own choices are there.

const form = () => document.getElementById("answers");
const besides = () => [...document.querySelectorAll("[data-turns-of]")];
const questionOf = (beside) => form()?.querySelector(`.question[data-question="${CSS.escape(beside.dataset.turnsOf)}"]`);

// The form's field that a choice beside a turn stands for.
function source(beside, input) {
  const name = `answer_${beside.dataset.turnsOf}${input.type === "radio" ? `.${beside.dataset.turn}` : ""}`;
  const fields = questionOf(beside)?.querySelectorAll(`input[name="${CSS.escape(name)}"]`) ?? [];
  return [...fields].find((field) => field.value === input.value);
}

function show() {
  for (const beside of besides()) {
    const question = questionOf(beside);
    const inputs = [...beside.querySelectorAll("input")];
    const isThere = inputs.every((input) => source(beside, input));
    beside.hidden = !question || question.hidden || !isThere;
    const box = question?.querySelector("[data-turns]");
    if (box && isThere) {
      box.hidden = true;
      question.querySelector("[data-beside]").hidden = false;
    }
    if (isThere) for (const input of inputs) input.checked = source(beside, input).checked;
  }
}

// After whoever swaps items has put the answers of the new one in.
const later = () => queueMicrotask(show);

document.addEventListener("change", (event) => {
  const beside = event.target.closest("[data-turns-of]");
  const field = beside && source(beside, event.target);
  if (field && field.checked !== event.target.checked) field.click();
  later();
});
for (const name of ["jurybox:item", "jurybox:answered"]) document.addEventListener(name, later);
document.body.addEventListener("htmx:afterSwap", later);
later();
