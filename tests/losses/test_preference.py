"""Losses of preferences: the numbers of TRL, labels and constants, and what is refused."""

from typing import Any

import numpy as np
import pytest

POLICY = [[-12.5, -14.25], [-30.0, -22.0], [-7.5, -7.0], [-41.0, -55.5]]
REFERENCE = [[-13.0, -13.5], [-28.0, -23.5], [-9.0, -7.5], [-44.5, -50.0]]
MEANS = [[-0.5, -0.75], [-1.5, -0.875], [-0.125, -2.0], [-1.0, -1.0]]

OF_TRL = {
    ("dpo", "--beta 0.3"): [0.5231232641398401, 1.3500584796176431, 0.5543552444685271, 0.06504356177659057],
    ("dpo", "--beta 0.3 --label-smoothing 0.1"): [
        0.5606232641398401,
        1.2450584796176434,
        0.5843552444685272,
        0.33504356177659056,
    ],
    ("ipo", "--beta 0.3"): [0.17361111111111116, 26.694444444444446, 0.44444444444444453, 53.77777777777777],
    ("simpo", "--beta 2.5 --gamma 1.25"): [
        1.0537006782765186,
        2.8708204802802486,
        0.0316391100329151,
        1.501929081345373,
    ],
    ("orpo", "--beta 0.25"): [0.6144781833283318, 1.812398077325021, 0.13015647453231086, 1.1732867951399863],
}
"""What TRL's own functions return on PyTorch 2.13.0, in float64: those of TRL 0.12.2, the last with a function for each loss.

`DPOTrainer.dpo_loss`, `CPOTrainer.cpo_loss` (of the type simpo), and `ORPOTrainer.odds_ratio_loss`, taken from minus the
log-probability of the preferred response. SimPO and ORPO of TRL 1.16.0 return the same.
"""


@pytest.mark.quick
@pytest.mark.parametrize(("name", "parameters"), OF_TRL)
def test_losses_of_pairs_are_those_of_trl(compute: Any, save: Any, name: str, parameters: str) -> None:
    predictions = save("p.npy", POLICY if name in ("dpo", "ipo") else MEANS)
    more = ("--reference", save("r.npy", REFERENCE)) if name in ("dpo", "ipo") else ()
    found = compute(name, predictions, "1", *parameters.split(), *more, "-o", "losses.npy").json
    np.testing.assert_allclose(np.load("losses.npy"), OF_TRL[name, parameters], rtol=1e-14)
    assert found["value"] == pytest.approx(np.mean(OF_TRL[name, parameters]), rel=1e-14)


@pytest.mark.parametrize(
    ("kl", "losses"),
    [
        ("0.625", [0.7640608522824911, 1.030941420295806, 0.42393806067532486, 0.5273870334148565]),
        ("0", [0.6938552319843756, 0.9684844593386931, 0.45797942546191645, 0.5555811743866155]),
    ],
)
def test_kto_is_that_of_trl(compute: Any, save: Any, kl: str, losses: list[float]) -> None:
    """KTOTrainer.kto_loss of TRL 0.12.2 on PyTorch 2.13.0, with and without an estimate of the divergence."""
    policy, reference = (save(f"{i}.npy", np.array(side)[:, 0]) for i, side in enumerate((POLICY, REFERENCE)))
    words = (policy, save("t.npy", [1, 1, 0, 0]), "--reference", reference, "--beta", "0.3", "--kl", kl)
    compute("kto", *words, "--desirable-weight", "1.5", "--undesirable-weight", "0.75", "-o", "losses.npy")
    np.testing.assert_allclose(np.load("losses.npy"), losses, rtol=1e-14)


def test_a_margin_of_rewards_is_that_of_the_reward_trainer(compute: Any, save: Any) -> None:
    """-logsigmoid(chosen - rejected - margin), as RewardTrainer.compute_loss of TRL 1.16.0 has it, on PyTorch 2.13.0."""
    rewards = save("p.npy", [[1.5, -0.5], [0.25, 2.0], [3.0, 3.0]])
    compute("reward-model-loss", rewards, "1", "--margin", "0.5", "-o", "losses.npy")
    expected = [0.2014132779827524, 2.350206558916747, 0.9740769841801067]
    np.testing.assert_allclose(np.load("losses.npy"), expected, rtol=1e-14)


@pytest.mark.parametrize("name", ["dpo", "ipo", "simpo", "orpo", "bradley-terry"])
def test_labels_say_which_response_is_preferred(compute: Any, save: Any, name: str) -> None:
    swapped, labels = np.array([1, 0, 0, 1]), (save("0.npy", [0, 1, 1, 0]), save("1.npy", [-1, 1, 1, -1]))
    sides = [np.array(side) for side in (POLICY, REFERENCE)]
    turned = [np.where(swapped[:, None] == 1, side[:, ::-1], side) for side in sides]
    values = set()
    for number, (p, r) in enumerate((sides, turned)):
        more = ("--reference", save("r.npy", r)) if name in ("dpo", "ipo") else ()
        for targets in ["1"] if number == 0 else labels:
            values.add(compute(name, save("p.npy", p), targets, *more, "-f", "value").value)
    assert len(values) == 1


def test_a_constant_that_contradicts_the_names_of_columns_is_refused(compute: Any, write: Any) -> None:
    turned = write("p.csv", "rejected_logp,chosen_logp\n-14.25,-12.5\n-22,-30\n")
    compute("simpo", turned, "1").refuses(3, "'rejected_logp' and 'chosen_logp'", "say 0")
    right = write("q.csv", "chosen_logp,rejected_logp\n-12.5,-14.25\n-30,-22\n")
    assert compute("simpo", turned, "0", "-f", "value").value == compute("simpo", right, "1", "-f", "value").value
    compute("simpo", right, "0").refuses(3, "say 1")


def test_columns_of_the_reference_are_matched_by_name(compute: Any, write: Any) -> None:
    p = write("p.csv", "chosen,rejected\n-12.5,-14.25\n-30,-22\n")
    r = write("r.csv", "rejected,chosen\n-13.5,-13\n-23.5,-28\n")
    expected = np.mean(OF_TRL["ipo", "--beta 0.3"][:2])
    found = compute("ipo", p, "1", "--beta", "0.3", "--reference", r, "-f", "value").value
    assert found == pytest.approx(expected, rel=1e-14)


def test_what_is_refused(compute: Any, save: Any) -> None:
    p, r = save("p.npy", POLICY), save("r.npy", REFERENCE)
    chances = save("c.npy", np.exp(np.array(MEANS)))
    compute("dpo", p, "1").refuses(2, "--reference FILE", "reference model")
    compute("simpo", p, "1", "--reference", r).refuses(2, "--reference")
    compute("dpo", p, "2", "--reference", r).refuses(2, "2 is not a target")
    compute("dpo", p, "1", "--reference", save("s.npy", REFERENCE[:3])).refuses(3, "4 rows", "s.npy")
    compute("dpo", p, "1", "--reference", save("f.npy", np.array(REFERENCE)[:, 0])).refuses(3, "--reference f.npy (4,)")
    compute("dpo", chances, "1", "--reference", r).refuses(3, "c.npy[0, 0]", "no log-probability", "logarithms")
    compute("dpo", p, "1", "--reference", chances).refuses(3, "c.npy[0, 0]", "no log-probability")
    compute("dpo", save("w.npy", np.zeros((4, 3))), "1", "--reference", r).refuses(3, "two responses")
    holed = np.array(POLICY)
    holed[2, 1] = np.nan
    compute("dpo", save("n.npy", holed), "1", "--reference", r).refuses(3, "n.npy[2, 1]", "NaN")
    compute("dpo", p, "1", "--reference", save("n.npy", holed)).refuses(3, "n.npy[2, 1]", "nan")
    compute("kto", p, save("t.npy", [1, 0, 1, 0]), "--reference", r).refuses(3, "t.npy")
    compute("orpo", save("z.npy", np.zeros((4, 2))), "1").refuses(3, "z.npy[0]")


def test_impossible_responses_have_their_limits(compute: Any, save: Any) -> None:
    """A preferred response of probability 0 is an infinite loss; one that is not preferred costs nothing."""
    r = ("--reference", save("r.npy", REFERENCE[:1]))
    lost, won = save("0.npy", [[-np.inf, -3.0]]), save("1.npy", [[-3.0, -np.inf]])
    for name, more in (("dpo", r), ("simpo", ()), ("orpo", ())):
        assert compute(name, lost, "1", *more, "-f", "value").out.strip() == "inf"
        assert np.isfinite(compute(name, won, "1", *more, "-f", "value").value)
