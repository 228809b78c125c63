"""Logits that look like probabilities."""


class TestLook:
    def test_a_block_of_ignored_rows_does_not_hide_logits_that_look_like_probabilities(
        self, compute, save, monkeypatch
    ):
        monkeypatch.setattr("losscli.engine.job.BATCH_BYTES", 16)
        p, t = save("p.npy", [[0.25, 0.75]] * 4), save("t.npy", [0, 1, -1, -1])
        assert "probabilities" in compute("ce", p, t, "--ignore-index", "-1").err

    def test_one_sample_that_looks_like_probabilities_is_no_reason_to_warn(self, compute, save):
        assert compute("ce", save("p.npy", [[0.25, 0.75]]), save("t.npy", [1])).err == ""
