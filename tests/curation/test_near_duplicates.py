import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from curation.fold_text import words_of
from curation.groups import Groups, copies, linked
from curation.near_duplicates import jaccard, near_duplicates, word_sets


def words(number: int, count: int = 20) -> list[str]:
    return [f"w{chr(97 + number % 26)}{number}x{place}" for place in range(count)]


def together(group: np.ndarray, a: int, b: int) -> bool:
    return bool(group[a] == group[b])


def test_copies_in_other_letters_fold_to_the_same_words():
    plain = words_of("how do i steal a car")
    assert words_of("HOW do I  steal a car?!") == plain
    assert words_of("h0w d0 1 5734l 4 c4r") == plain
    assert words_of("ho\u200bw do i st\u00ade\ufe0fal a car") == plain
    assert words_of("ｈｏｗ do i steal a car") == plain


def test_emoji_stay_and_signs_without_spaces_are_words():
    assert words_of("I love 🔪you") == ["i", "love", "🔪", "you"]
    assert words_of("偷车") == ["偷", "车"]
    assert words_of("... ?!") == []


@given(st.lists(st.tuples(st.integers(0, 19), st.integers(0, 19)), max_size=30))
def test_groups_are_the_connected_components(pairs: list[tuple[int, int]]):
    groups = Groups(20)
    left, right = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    groups.join(left, right)
    slow = list(range(20))
    for _ in range(20):
        for a, b in pairs:
            slow[a] = slow[b] = min(slow[a], slow[b])
    assert groups.numbers().tolist() == slow


def test_any_shared_key_links_and_none_does_not():
    groups = linked(5, [["a", "a", None, None, "b"], [None, 1, 1, None, None]]).numbers()
    assert groups.tolist() == [0, 0, 0, 3, 4]


def test_copies_of_copies_share_a_key_also_without_the_original_and_in_circles():
    keys = copies(["a", "b", "c", "d", "e", "f"], ["gone", "a", "gone", "", "f", "e"])
    assert keys[0] == keys[1] == keys[2] != keys[3]
    assert keys[4] == keys[5] != keys[3]


def test_the_true_jaccard_similarity_is_computed():
    sets = word_sets(["a b c d", "a b c e", "x", "", "a a a b"])
    found = jaccard(sets, np.array([0, 0, 0, 3, 0]), np.array([1, 2, 3, 3, 4]))
    assert found.tolist() == [3 / 5, 0, 0, 0, 2 / 4]


def test_near_copies_are_found_and_others_left_alone():
    texts = [" ".join(words(n)) for n in range(200)]
    near = [" ".join([*words(n)[:17], "other", "words", "here"]) for n in range(0, 200, 2)]
    far = [" ".join([*words(n)[:14], *(f"new{n}y{place}" for place in range(6))]) for n in range(1, 200, 2)]
    group = near_duplicates(word_sets([*texts, *near, *far]))
    assert all(together(group, 2 * n, 200 + n) for n in range(100)), "17 of 23 words in common"
    assert not any(together(group, 2 * n + 1, 300 + n) for n in range(100)), "14 of 26 words in common"
    assert len(np.unique(group)) == 300


def test_every_pair_that_is_alike_is_found_where_an_exhaustive_search_finds_it():
    random = np.random.default_rng(5)
    base = [random.choice(300, 12, replace=False) for _ in range(60)]
    texts = []
    for row in base * 5:
        changed = row.copy()
        changed[: random.integers(0, 4)] = random.integers(300, 600)
        texts.append(" ".join(f"v{word}v" for word in changed))
    sets = word_sets(texts)
    group = near_duplicates(sets)
    left, right = np.triu_indices(len(texts), 1)
    alike = jaccard(sets, left, right) >= 0.7
    assert alike.sum() > 100
    assert (group[left[alike]] == group[right[alike]]).all()


def test_a_template_does_not_chain_everything_together():
    frame = [f"template{place}" for place in range(40)]
    texts = [" ".join([*frame, *(f"w{n}x{place}" for place in range(6))]) for n in range(700)]
    copy = texts[3].upper() + "!"
    group = near_duplicates(word_sets([*texts, copy]))
    sizes = np.unique(group, return_counts=True)[1]
    assert sizes.max() <= 500
    assert together(group, 3, 700)


def test_texts_without_words_stand_alone():
    assert len(np.unique(near_duplicates(word_sets(["", "...", "a", "a"])))) == 3
    assert near_duplicates(word_sets([])).tolist() == []
