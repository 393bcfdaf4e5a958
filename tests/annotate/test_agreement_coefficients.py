"""Agreement coefficients and weights against published values (Krippendorff, Gwet)."""

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from annotate.agreement_coefficients import (
    CountTable,
    NotComputable,
    Result,
    Statistic,
    brennan_prediger,
    conger_kappa,
    fleiss_kappa,
    generalised_pi,
    gwet_ac,
    krippendorff_alpha,
    krippendorff_ordinal_alpha,
)
from annotate.agreement_weights import disagreement

CANONICAL = Path(__file__).resolve().parents[3] / "shared" / "data" / "canonical_agreement.json"
KRIPPENDORFF_LEVELS = {"nominal": "identity", "interval": "quadratic", "ratio": "ratio"}
PUBLISHED_CASES = 89


def published_cases() -> Iterator[object]:
    """One case a published value: table, coefficient, weights, value, standard error or None."""
    if not CANONICAL.exists():
        yield pytest.param(*[None] * 5, marks=pytest.mark.skip(reason="no shared/data/canonical_agreement.json"))
        return
    for name, table in json.loads(CANONICAL.read_text()).items():
        if isinstance(table["published"], dict):
            for alpha, value in table["published"].items():
                yield pytest.param(table, alpha, None, value, None, id=f"{name}-{alpha}")
            continue
        for case in table["published"]:
            coefficient, weights = case["coefficient"], case["weights"]
            case_id = f"{name}-{coefficient}-{weights}"
            yield pytest.param(table, coefficient, weights, case["value"], case.get("se"), id=case_id)


def ratings_of(table: dict) -> np.ndarray:
    """Ratings (units x raters) coded from 0, -1 where missing."""
    if table["kind"] == "two_rater_table":
        cells = np.array(table["rows_rater1"])
        return np.array([cell for cell, times in np.ndenumerate(cells) for _ in range(times)])
    return np.array([[-1 if v is None else v - 1 for v in unit] for unit in table["units_by_rater"]])


def counts_of(table: dict) -> np.ndarray:
    if table["kind"] == "counts":
        return np.array(table["units_by_category"])
    ratings = ratings_of(table)
    return (ratings[:, :, None] == np.arange(ratings.max() + 1)).sum(axis=1)


def compute(table: dict, coefficient: str, weights: str | None) -> Result:
    counts = CountTable.of(counts_of(table))
    numbers = np.arange(1, counts.counts.shape[1] + 1)
    if coefficient == "alpha_ordinal":
        return krippendorff_ordinal_alpha(counts)
    if weights is None:
        level = coefficient.removeprefix("alpha_")
        return krippendorff_alpha(counts, disagreement(KRIPPENDORFF_LEVELS[level], numbers))
    if coefficient in ("conger_kappa", "cohen_kappa"):
        return conger_kappa(ratings_of(table), disagreement(weights, numbers))
    functions = {
        "brennan_prediger": brennan_prediger,
        "fleiss_kappa": generalised_pi,
        "scott_pi": generalised_pi,
        "gwet_ac1_ac2": gwet_ac,
        "krippendorff_alpha": krippendorff_alpha,
    }
    return functions[coefficient](counts, disagreement(weights, numbers))


@pytest.mark.parametrize(("table", "coefficient", "weights", "value", "se"), list(published_cases()))
def test_published_value_is_reproduced(table, coefficient, weights, value, se):
    result = compute(table, coefficient, weights)
    assert isinstance(result, Statistic)
    assert result.value == pytest.approx(value, abs=0.0006)
    if se is not None and table["kind"] != "ratings":  # Gwet's errors treat missing values in another way
        assert (result.high - result.low) / (2 * 1.96) == pytest.approx(se, rel=0.15)


@pytest.mark.skipif(not CANONICAL.exists(), reason="no shared/data/canonical_agreement.json")
def test_every_published_value_has_a_case():
    assert len(list(published_cases())) == PUBLISHED_CASES


@pytest.mark.parametrize("weights", ["linear", "quadratic", "ratio", "bipolar", "radical", "ordinal"])
def test_very_large_and_very_small_numbers_stay_finite(weights):
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        for numbers in ([0, 1e-300, 1], [1, 1e300, 1.7e308], [1, 1 + 2**-52, 1 + 2**-51], [5, 5]):
            table = disagreement(weights, numbers)
            assert np.isfinite(table).all()
            assert ((table >= 0) & (table <= 1)).all()


def test_weights_refuse_numbers_that_do_not_suit_them():
    with pytest.raises(ValueError, match="finite"):
        disagreement("linear", [1, math.nan])
    with pytest.raises(ValueError, match="0 or more"):
        disagreement("ratio", [-1, 1])


def test_fleiss_refuses_what_generalised_pi_takes():
    table = CountTable.of(np.array([[3, 0], [1, 1], [0, 3]]))
    identity = disagreement("identity", [0, 1])
    assert isinstance(fleiss_kappa(table, identity), NotComputable)
    assert isinstance(generalised_pi(table, identity), Statistic)
