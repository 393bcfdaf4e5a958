// The item's texts as they are stored: spans count code points of the stored text, never UTF-16 units or places in
// the page's nodes. Used by the marking of evidence.

const BLANK = /^\p{White_Space}$/u;

// A text node counts its code points; a named mark stands for the one character that can't be seen.
function* piecesOf(node) {
  for (const child of node.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) yield { node: child, points: [...child.data], isMark: false };
    else if (child.dataset?.point) yield { node: child, points: [String.fromCodePoint(parseInt(child.dataset.point, 16))], isMark: true };
    else yield* piecesOf(child);
  }
}

// One text of the item as it is stored, and the ways between its code points and places in the page.
class StoredText {
  constructor(element) {
    this.element = element;
    this.part = element.dataset.part;
    this.name = element.getAttribute("aria-label");
    this.pieces = [...piecesOf(element)];
    this.points = this.pieces.flatMap((piece) => piece.points);
    this.isIntact = this.points.length === Number(element.dataset.length);
  }

  // Behind a veil: neither read out nor repeated elsewhere.
  get isCovered() {
    return this.element.inert;
  }

  // A span without a part is about the text, or the prompt of an item without one.
  is(part) {
    return this.part === part || ((part ?? "text") === "text" && this.part === "prompt") || (part === undefined && this.part === "text");
  }

  say(span) {
    return this.points.slice(span.start, span.end).join("");
  }

  trimmed(start, end) {
    while (start < end && BLANK.test(this.points[start])) start += 1;
    while (end > start && BLANK.test(this.points[end - 1])) end -= 1;
    return start < end ? { start, end } : null;
  }

  // What of a selection lies in this text; a mark that is touched is taken whole.
  spanOf(range) {
    if (!range.intersectsNode(this.element)) return null;
    const starts = this.element.contains(range.startContainer);
    const ends = this.element.contains(range.endContainer);
    const start = starts ? this.#count(range.startContainer, range.startOffset, false) : 0;
    const end = ends ? this.#count(range.endContainer, range.endOffset, true) : this.points.length;
    return this.trimmed(start, end);
  }

  #count(container, offset, isEnd) {
    let count = 0;
    for (const { node, points, isMark } of this.pieces) {
      if (isMark && node.contains(container)) return count + this.#inMark(node, container, offset, isEnd);
      if (node === container) {
        const before = [...node.data.slice(0, offset)].length;
        const isInPair = /^[\uDC00-\uDFFF]/.test(node.data.slice(offset));
        return count + before - (isInPair && !isEnd ? 1 : 0);
      }
      const place = document.createRange();
      place.setStartBefore(node);
      if (place.comparePoint(container, offset) <= 0) return count;
      count += points.length;
    }
    return count;
  }

  // Before or after the mark: outwards, unless the place is its very edge.
  #inMark(mark, container, offset, isEnd) {
    const rest = document.createRange();
    rest.selectNodeContents(mark);
    if (isEnd) rest.setEnd(container, offset);
    else rest.setStart(container, offset);
    return (rest.toString() === "") === isEnd ? 0 : 1;
  }

  rangeOf({ start, end }) {
    const range = document.createRange();
    let count = 0;
    for (const { node, points, isMark } of this.pieces) {
      const stop = count + points.length;
      const units = (point) => points.slice(0, point - count).join("").length;
      if (start >= count && start < stop) isMark ? range.setStartBefore(node) : range.setStart(node, units(start));
      if (end > count && end <= stop) {
        isMark ? range.setEndAfter(node) : range.setEnd(node, units(end));
        return range;
      }
      count = stop;
    }
    return null;
  }

  // The rules for where sentences end hardly differ between languages; the person's own must not change them.
  sentences() {
    let count = 0;
    const found = [];
    for (const { segment } of new Intl.Segmenter("en", { granularity: "sentence" }).segment(this.points.join(""))) {
      const end = count + [...segment].length;
      const span = this.trimmed(count, end);
      if (span) found.push({ ...span, text: this });
      count = end;
    }
    return found;
  }
}

globalThis.jurybox ??= {};
jurybox.StoredText = StoredText;
