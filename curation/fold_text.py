"""Text folded so that copies in other letters, cases and punctuation look the same. Pure."""

import re
import unicodedata

LEET = {ord(sign): letter for sign, letter in zip("013457@$", "oieastas", strict=True)}
VARIATION_SELECTORS = range(0xFE00, 0xFE10)
# Written without spaces, so each sign stands for a word.
UNSPACED = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


class _Folding(dict[int, str | None]):
    """What becomes of each code point; worked out when it is first met."""

    def __missing__(self, code_point: int) -> str | None:
        sign = chr(code_point)
        category = unicodedata.category(sign)
        kept: str | None = sign
        if sign.isspace():
            kept = " "
        elif category == "So" or UNSPACED.match(sign):
            # Emoji carry meaning: they count as words.
            kept = f" {sign} "
        elif category[0] in "PSC" or code_point in VARIATION_SELECTORS:
            kept = None
        self[code_point] = kept
        return kept


_FOLDING = _Folding(LEET)


def words_of(text: str) -> list[str]:
    """The words of a text after NFKC, case folding, undoing leet letters and dropping punctuation.

    Invisible characters go with the punctuation; emoji stay, each as a word of its own.
    """
    return unicodedata.normalize("NFKC", text).casefold().translate(_FOLDING).split()
