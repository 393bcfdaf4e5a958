// A taxonomy version's categories for the picker: loaded once, indexed by code and by chord, searched and defined.

const MOST_FOUND = 9;
const loading = new Map();

const plain = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const wordsOf = (text) => plain(text).split(/[^\p{L}\p{N}]+/u).filter(Boolean);

// One request for all pickers of a page; the link in the page has begun it already.
function load(source) {
  if (!loading.has(source)) {
    const answer = fetch(source).then(async (response) => {
      if (!response.ok) throw new Error(String(response.status));
      return new Categories(await response.json());
    });
    answer.catch(() => loading.delete(source));
    loading.set(source, answer);
  }
  return loading.get(source);
}

class Categories {
  byCode = new Map();
  // Chord, or the beginning of one, to what stands there: {chord, name, category}; a facet has no category.
  stops = new Map();
  below = new Map();

  // `categories` and `steps` as the server sends them (annotate/picker.py).
  constructor({ categories, steps }) {
    const ofChord = new Map();
    for (const category of categories) {
      this.byCode.set(category.code, category);
      // Of several groups with one beginning the outermost gives the name; it comes first.
      if (category.chord && !ofChord.has(category.chord)) ofChord.set(category.chord, category);
    }
    for (const [chord, name] of steps) {
      const before = chord.slice(0, -1);
      this.stops.set(chord, { chord, name, category: ofChord.get(chord) });
      this.below.set(before, [...(this.below.get(before) ?? []), this.stops.get(chord)]);
    }
    this.leaves = categories
      .filter((category) => category.kind !== "group")
      .map((category) => ({
        category,
        name: plain(category.name),
        words: wordsOf(category.name),
        more: [...wordsOf(this.path(category)), ...wordsOf(category.code), plain(category.code)],
      }));
  }

  parents(category) {
    return category.parents.map((code) => this.byCode.get(code)).filter(Boolean);
  }

  path(category) {
    return this.parents(category).map((parent) => parent.name).join(" / ");
  }

  // The first matches: begins so, words begin so, initials, with the groups' names, anywhere; else in order.
  find(text) {
    const query = plain(text.trim());
    const words = wordsOf(query);
    if (!words.length) return [];
    const begin = (all) => words.every((word) => all.some((one) => one.startsWith(word)));
    const rank = ({ name, words: own, more }) => {
      if (name.startsWith(query)) return 0;
      if (begin(own)) return 1;
      if (own.map((word) => word[0]).join("").startsWith(query)) return 2;
      if (begin([...own, ...more])) return 3;
      return words.every((word) => name.includes(word)) ? 4 : 5;
    };
    return this.leaves
      .map((leaf) => ({ category: leaf.category, rank: rank(leaf) }))
      .filter((one) => one.rank < 5)
      .sort((one, other) => one.rank - other.rank)
      .slice(0, MOST_FOUND)
      .map((one) => one.category);
  }
}

// What belongs to a category and what doesn't; it follows the one chosen, focused or pointed at last.
class CategoryCard extends HTMLElement {
  show(category, categories) {
    const part = (name) => this.querySelector(`[data-card=${name}]`);
    part("none").hidden = category !== null;
    part("body").hidden = category === null;
    if (!category) return;
    part("name").textContent = category.name;
    part("path").textContent = categories.path(category);
    part("definition").textContent = category.definition;
    for (const kind of ["examples", "counter_examples"]) {
      // A category without examples of its own is shown with its group's.
      const source = [category, ...categories.parents(category)].find((one) => one[kind].length);
      part(kind).hidden = !source;
      part(`${kind}_of`).textContent = source && source !== category ? `(${source.name})` : "";
      const rows = (source?.[kind] ?? []).map((text) => Object.assign(document.createElement("li"), { textContent: text, dir: "auto" }));
      part(kind).querySelector("ul").replaceChildren(...rows);
    }
  }
}

customElements.define("category-card", CategoryCard);
jurybox.categories = { load };
