// Evidence: passages of the item's texts, marked as spans that count code points of the stored text. Marks are
// drawn as CSS highlights, so the text's own nodes never change; a list of the passages says the same in words.

const STRETCH = { evidence: 0, "evidence-cursor": 1 };
const NEXT = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 };
function layer(name) {
  if (!globalThis.Highlight || !CSS.highlights) return null;
  if (!CSS.highlights.has(name)) {
    const made = new Highlight();
    made.priority = STRETCH[name];
    CSS.highlights.set(name, made);
  }
  return CSS.highlights.get(name);
}

const shownItem = () => document.getElementById("item");
const texts = () => [...(shownItem() ?? document).querySelectorAll("[data-part][data-length]")].map((element) => new jurybox.StoredText(element));
const itemKey = () => (shownItem() ? `${shownItem().dataset.item}/${shownItem().dataset.repeat}` : "");

class EvidenceMarks extends HTMLElement {
  #spans = [];
  #isUnsure = false;
  #saysNone = false;
  #madeFor = "";
  #drawn = [];
  #pending = [];
  #cursor = null;
  #release = null;
  #before = null;
  #watch = null;
  #onItem = () => {
    if (this.#madeFor === itemKey()) this.#draw();
    else this.reset();
  };

  connectedCallback() {
    for (const name of ["input", "list", "status", "cursor", "button", "unsure", "entry"]) this[`$${name}`] = this.querySelector(`[data-${name}]`);
    this.$button.hidden = this.$unsure.closest("label").hidden = false;
    // By mouse the selection and the focus stay where they are, so that the next key is the page's.
    this.$button.addEventListener("pointerdown", () => (this.#pending = this.#selected()));
    this.$button.addEventListener("mousedown", (event) => event.preventDefault());
    this.$button.addEventListener("click", () => this.mark());
    this.$unsure.addEventListener("change", (event) => {
      event.stopPropagation();
      this.#isUnsure = this.$unsure.checked;
      if (this.#isUnsure) this.#spans = [];
      this.#changed();
    });
    this.$cursor.addEventListener("keydown", (event) => {
      if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey || !this.handleKey(event)) return;
      event.preventDefault();
      event.stopPropagation();
    });
    this.$cursor.addEventListener("focusout", () => document.hasFocus() && this.#leave(false));
    this.#watch = new MutationObserver(() => this.#draw());
    const question = this.closest("fieldset");
    if (question) this.#watch.observe(question, { attributeFilter: ["hidden", "disabled"] });
    if (shownItem()) this.#watch.observe(shownItem(), { subtree: true, attributeFilter: ["inert"] });
    document.addEventListener("jurybox:item", this.#onItem);
    this.restore([this.$input.value]);
  }

  disconnectedCallback() {
    this.#leave(false);
    this.#watch.disconnect();
    document.removeEventListener("jurybox:item", this.#onItem);
    layer("evidence") && this.#drawn.forEach((range) => layer("evidence").delete(range));
  }

  get marking() {
    return this.#cursor !== null;
  }

  get isAsked() {
    return !this.closest("fieldset:disabled, [hidden]");
  }

  reset() {
    this.restore([]);
  }

  restore(values) {
    this.#leave(false);
    const given = values.find((value) => value !== "");
    const value = given === undefined ? null : JSON.parse(given);
    this.#isUnsure = value === "unsure";
    this.#saysNone = Array.isArray(value) && value.length === 0;
    this.#spans = Array.isArray(value) ? value : [];
    this.#madeFor = itemKey();
    this.#write();
    this.#draw();
  }

  // The command: marks what is selected; without a selection begins to mark by sentences.
  mark() {
    const selected = this.#selected().length ? this.#selected() : this.#pending;
    this.#pending = [];
    if (!selected.length) return void (this.marking ? this.#markCursor() : this.#enter());
    getSelection().removeAllRanges();
    for (const { text, start, end } of selected) this.#add(text, { start, end });
  }

  // True if the key was for us: while marking by sentences.
  handleKey(event) {
    if (!this.marking) return false;
    const key = event.key;
    if (key in NEXT) this.#move(this.#step(key), event.shiftKey);
    else if (key === "Home" || key === "End") this.#move(key === "Home" ? -Infinity : Infinity, event.shiftKey);
    else if (key === "Enter" || key.toLowerCase() === (globalThis.jurybox?.keys?.evidence ?? "e")) this.#markCursor();
    else if (key === "Backspace" || key === "Delete") this.#removeAtCursor();
    else if (key === "Escape") this.#leave(true);
    else return false;
    return true;
  }

  #selected() {
    const selection = getSelection();
    const ranges = Array.from({ length: selection.rangeCount }, (_, number) => selection.getRangeAt(number)).filter((range) => !range.collapsed);
    if (!ranges.length) return [];
    return texts().flatMap((text) => ranges.map((range) => text.spanOf(range)).filter(Boolean).map((span) => ({ text, ...span })));
  }

  #enter() {
    const open = texts().filter((text) => !text.isCovered);
    const sentences = open.filter((text) => text.isIntact).flatMap((text) => text.sentences());
    if (!sentences.length) return void this.#tell(open.length ? "refused" : texts().length ? "covered" : "empty");
    this.#before = document.activeElement;
    this.#cursor = { sentences, from: 0, at: 0 };
    this.$cursor.hidden = false;
    this.$cursor.focus({ preventScroll: true });
    this.#release = globalThis.jurybox?.first?.((event) => event.type === "keydown" && this.handleKey(event));
    this.#showCursor();
  }

  #leave(isAsked) {
    if (!this.marking) return;
    const hadFocus = document.activeElement === this.$cursor;
    this.#cursor = null;
    this.#release?.();
    layer("evidence-cursor")?.clear();
    this.$cursor.hidden = true;
    if (!isAsked) return;
    this.#tell("left", { n: this.#spans.length });
    if (!hadFocus) return;
    if (this.#before?.isConnected && this.#before !== document.body) this.#before.focus({ preventScroll: true });
    else this.$button.focus({ preventScroll: true });
  }

  // Left and right are the reader's: in a text that runs from right to left, left is onwards.
  #step(key) {
    const { sentences, at } = this.#cursor;
    const isSideways = key === "ArrowLeft" || key === "ArrowRight";
    return isSideways && getComputedStyle(sentences[at].text.element).direction === "rtl" ? -NEXT[key] : NEXT[key];
  }

  #move(step, extends_) {
    const { sentences, at, from } = this.#cursor;
    let to = Math.min(Math.max(at + step, 0), sentences.length - 1);
    if (extends_) while (sentences[to].text !== sentences[from].text) to += to > from ? -1 : 1;
    this.#cursor.at = to;
    if (!extends_) this.#cursor.from = to;
    this.#showCursor();
  }

  get #reach() {
    const { sentences, at, from } = this.#cursor;
    return { text: sentences[at].text, start: sentences[Math.min(at, from)].start, end: sentences[Math.max(at, from)].end };
  }

  #showCursor() {
    const { sentences, at } = this.#cursor;
    const reach = this.#reach;
    const range = reach.text.rangeOf(reach);
    layer("evidence-cursor")?.clear();
    layer("evidence-cursor")?.add(range);
    scrollTo_(reach.text.element, reach.text.rangeOf(sentences[at]));
    const isMarked = this.#under(reach).length > 0;
    this.#tell(isMarked ? "at-marked" : "at", { where: reach.text.name, n: at + 1, total: sentences.length, text: reach.text.say(reach) });
  }

  #under({ text, start, end }) {
    return this.#spans.filter((span) => text.is(span.part) && span.start < end && start < span.end);
  }

  #markCursor() {
    const { text, start, end } = this.#reach;
    this.#add(text, { start, end });
  }

  #removeAtCursor() {
    const found = this.#under(this.#reach);
    if (!found.length) return void this.#tell("nothing");
    this.#remove(found);
  }

  #add(text, span) {
    if (!text.isIntact) return void this.#tell("refused");
    const said = { where: text.name, text: text.say(span) };
    const part = text.part === "text" || text.part === "prompt" ? {} : { part: text.part };
    // Marks that overlap become one; those with a label of their own came from elsewhere and stay.
    const merged = this.#under({ text, ...span }).filter((other) => other.label === undefined);
    if (merged.some((other) => other.start <= span.start && other.end >= span.end)) return void this.#tell("again", said);
    const start = Math.min(span.start, ...merged.map((other) => other.start));
    const end = Math.max(span.end, ...merged.map((other) => other.end));
    this.#spans = [...this.#spans.filter((other) => !merged.includes(other)), { start, end, ...part }];
    this.#isUnsure = false;
    this.#changed();
    this.#tell("marked", said);
  }

  #remove(spans) {
    const text = texts().find((one) => one.is(spans[0].part));
    this.#spans = this.#spans.filter((span) => !spans.includes(span));
    this.#changed();
    this.#tell("removed", { where: text?.name ?? "", text: text && !text.isCovered ? text.say(spans[0]) : "" });
  }

  #changed() {
    this.#saysNone = false;
    this.#write();
    this.#draw();
    this.dispatchEvent(new Event("change", { bubbles: true }));
  }

  #write() {
    const hasAnswer = this.#spans.length > 0 || this.#saysNone;
    this.$input.value = this.#isUnsure ? '"unsure"' : hasAnswer ? JSON.stringify(this.#spans) : "";
    this.$unsure.checked = this.#isUnsure;
  }

  #draw() {
    const all = texts();
    const order = (span) => [all.findIndex((text) => text.is(span.part)), span.start];
    this.#spans.sort((a, b) => order(a)[0] - order(b)[0] || order(a)[1] - order(b)[1]);
    const marks = layer("evidence");
    if (marks) for (const range of this.#drawn) marks.delete(range);
    this.#drawn = [];
    this.$list.replaceChildren();
    this.$list.hidden = this.#spans.length === 0;
    for (const [number, span] of this.#spans.entries()) {
      const text = all.find((one) => one.is(span.part) && one.isIntact);
      const range = text?.rangeOf(span) ?? null;
      if (range && this.isAsked) this.#drawn.push(range);
      this.$list.append(this.#entry(number, span, text, range));
    }
    if (marks) for (const range of this.#drawn) marks.add(range);
  }

  // The passage's own nodes are copied, so that what can't be seen is named here, too.
  #entry(number, span, text, range) {
    const entry = this.$entry.content.cloneNode(true);
    const passage = entry.querySelector("[data-passage]");
    passage.id = `${this.$input.name}-passage-${number}`;
    if (range && !text.isCovered) passage.append(range.cloneContents());
    else passage.textContent = `${span.start}–${span.end}`;
    entry.querySelector("[data-where]").textContent = [text?.name ?? span.part ?? "", span.label ?? ""].filter(Boolean).join(", ");
    const button = entry.querySelector("[data-remove]");
    button.setAttribute("aria-describedby", passage.id);
    button.addEventListener("mousedown", (event) => event.preventDefault());
    button.addEventListener("click", ({ detail: clicks }) => {
      this.#remove([span]);
      if (clicks === 0) (this.$list.querySelectorAll("[data-remove]")[number] ?? this.$list.querySelector("[data-remove]") ?? this.$button).focus();
    });
    return entry;
  }

  #tell(what, values = {}) {
    const sentence = this.$status.getAttribute(`data-say-${what}`);
    this.$status.textContent = sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
  }
}

// Long texts scroll by themselves, within the page that scrolls.
function scrollTo_(block, range) {
  const inside = block.getBoundingClientRect();
  const place = range.getBoundingClientRect();
  if (place.top < inside.top || place.bottom > inside.bottom) block.scrollTop += place.top - inside.top - inside.height / 4;
  const now = range.getBoundingClientRect();
  if (now.top < 0 || now.bottom > innerHeight) scrollBy({ top: now.top - innerHeight / 4 });
}

customElements.define("evidence-marks", EvidenceMarks);

// The active question's, else the first that is asked.
globalThis.jurybox?.command("evidence", {
  down() {
    const asked = [...document.querySelectorAll("evidence-marks")].filter((element) => element.isAsked);
    (asked.find((element) => element.marking) ?? asked.find((element) => element.closest("[data-active]")) ?? asked[0])?.mark();
  },
});
